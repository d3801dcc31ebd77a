import { join, normalize } from 'node:path';
import { TsrunError } from '../../errors.ts';
import type { Op } from '../../generated/ops.ts';
import { scopeName, scopePath } from '../../systemd/unit-name.ts';
import { type Context, hasNew, isOrdinaryUser } from '../context.ts';
import { hostUid } from '../namespaces/id-maps.ts';
import { lowerDeviceFilter } from './device-filter.ts';
import { noCgroup2, noCgroup2Hint } from './no-cgroup.ts';
import { controllersOf, isLimit, lowerResources } from './resources.ts';
import { lowerScope } from './scope.ts';
import { isUnfiltered } from './unfiltered.ts';

/** What a plan does with the cgroup: before the clone, right after it, and as the last step of create. */
export interface LoweredCgroup {
  readonly before: readonly Op[];
  readonly inside: readonly Op[];
  readonly last: readonly Op[];
}

/** The container's cgroup and its limits (config-linux.md, Control groups). */
export function lowerCgroup(context: Context): LoweredCgroup {
  const { host, linux, options, warnings } = context;
  if (options.cgroupManager === 'disabled') return withoutManager(context);
  const lowered = lowerResources(linux.resources ?? {}, host.cgroup);
  warnings.push(...lowered.warnings);
  if (host.cgroup.mount === null) return withoutCgroup2(context);
  const settings = lowered.settings.map(({ op }) => op);
  const last = settings.filter(forbidsForks);
  const limits = [
    ...settings.filter((op) => !last.includes(op)),
    ...lowerOwnership(context),
    // Init's own work with devices needs only the rules that every container has.
    ...lowerDeviceFilter(context),
  ];
  const controllers = controllersOf(lowered.settings);
  if (options.cgroupManager === 'systemd') {
    return { before: [], inside: [lowerScope(context, controllers, settings), ...limits], last };
  }
  const op = create(context, controllers, !settings.some(isLimit));
  return { before: [op, ...limits], inside: [], last };
}

/**
 * Warns a caller that asks for no cgroup of what the container then lacks; not of device rules, as every engine's
 * config has some.
 */
function withoutManager(context: Context): LoweredCgroup {
  const { linux, host, notes } = context;
  const { devices, ...limits } = linux.resources ?? {};
  const limit = lowerResources(limits, host.cgroup).settings.find(({ op }) => isLimit(op));
  if (limit !== undefined) {
    throw new TsrunError('needs a cgroup, and --cgroup-manager disabled makes none', {
      about: limit.op.from,
      hint: 'remove the property, or let cgroupfs or systemd make a cgroup',
    });
  }
  if (devices?.length && isUnfiltered(context)) {
    notes.push({
      pointer: '/linux/resources/devices',
      message:
        '--cgroup-manager disabled means no device filter: device nodes cannot be made, and those of the image cannot be used',
    });
  }
  return { before: [], inside: [], last: [] };
}

function withoutCgroup2(context: Context): LoweredCgroup {
  const { linux, warnings, notes } = context;
  if (linux.resources?.devices?.length) {
    throw new TsrunError(`${noCgroup2}, so there is no device filter`, {
      about: '/linux/resources/devices',
      hint: `${noCgroup2Hint}; or remove the property to go on without it`,
    });
  }
  (isOrdinaryUser(context) ? notes : warnings).push({
    pointer: '',
    message: `${noCgroup2}: the container gets no cgroup of its own`,
  });
  return { before: [], inside: [], last: [] };
}

/** @param unlimited whether the container works without a cgroup */
function create(context: Context, controllers: string[], unlimited: boolean): Op {
  const { linux, options } = context;
  const from = linux.cgroupsPath ? '/linux/cgroupsPath' : 'default';
  const rootless = options.rootless ?? 'auto';
  const optional = unlimited && (rootless === 'true' || (rootless === 'auto' && isOrdinaryUser(context)));
  return { op: 'create-cgroup', by: 'runtime', from, path: cgroupDirectory(context), controllers, optional };
}

/**
 * Whether to write this limit last, when everything that has to run is running. A pids.max of 0 would forbid the clone
 * into the cgroup, and 1 would forbid the fork that some namespaces and every hook of the container need.
 */
function forbidsForks(op: Op): boolean {
  return op.op === 'write-cgroup-file' && op.file === 'pids.max' && ['0', '1'].includes(op.value);
}

/**
 * config-linux.md, Cgroup ownership: gives the cgroup to the host's uid for the container's user, but only with a new
 * cgroup namespace and a writable mount with source `cgroup`.
 */
function lowerOwnership(context: Context): Op[] {
  const { spec, host } = context;
  const writable = spec.mounts?.some(
    ({ source, destination, options }) =>
      source === 'cgroup' && join(destination, '.') === '/sys/fs/cgroup' && !options?.includes('ro'),
  );
  if (!writable || !hasNew(context, 'cgroup')) return [];
  const uid = hostUid(context) ?? spec.process?.user?.uid ?? 0;
  // It belongs to this uid already.
  if (uid === host.uid) return [];
  return [{ op: 'own-cgroup', by: 'runtime', from: '/process/user/uid', uid }];
}

/**
 * Where the container's cgroup is. An absolute cgroupsPath starts at the mount point. A relative one, and the default
 * (the id), start at `CgroupFacts.parent`. With systemd it is where systemd makes the scope.
 */
export function cgroupDirectory({ host, linux, options }: Context): string {
  const path = linux.cgroupsPath || options.id;
  const mount = host.cgroup.mount ?? '/sys/fs/cgroup';
  if (options.cgroupManager === 'disabled') return join(mount, normalize(host.cgroup.own));
  if (options.cgroupManager === 'systemd') {
    const user = host.systemdUser;
    return join(mount, scopePath(scopeName(linux.cgroupsPath, options.id, user !== undefined), user, host.cgroup.own));
  }
  // normalize() of an absolute path cannot lead above the root.
  if (path.startsWith('/')) return join(mount, normalize(path));
  return join(mount, normalize(join('/', host.cgroup.parent, path)));
}
