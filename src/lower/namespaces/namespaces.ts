import { appendPointer } from '../../config/read/pointer.ts';
import { TsrunError } from '../../errors.ts';
import type { Op } from '../../generated/ops.ts';
import type { NamespaceType } from '../../generated/spec.ts';
import { namespaceFlags } from '../../linux/namespaces.ts';
import { sysctlNamespace } from '../../linux/sysctl.ts';
import { type Context, hasNew, isJoined, isPrivileged, namespaceOf, needsMoreThanClone } from '../context.ts';
import { lowerCheckIdMaps, lowerWriteIdMaps } from './id-maps.ts';

/**
 * All made in one clone3, which is cheaper than a call for each. cgroup is not among them (see lowerLateNamespaces).
 */
const clonedTypes: readonly NamespaceType[] = ['pid', 'network', 'ipc', 'uts', 'mount'];

/**
 * All except user, which comes before or after them, and mount, which comes last because it takes away the host's
 * /proc.
 */
const joinedTypes: readonly NamespaceType[] = ['network', 'ipc', 'uts', 'cgroup', 'time', 'pid'];

/** @throws TsrunError when something is missing that every container needs */
function demandNamespaces(context: Context): void {
  if (!isPrivileged(context) && namespaceOf(context, 'user') === undefined) {
    throw new TsrunError('without privilege a container needs a user namespace', {
      about: '/linux/namespaces',
      hint: 'add { "type": "user" } and mappings, as tsrun spec --rootless writes them',
    });
  }
}

/** Opens the namespaces to be joined. This comes before the clone, because init inherits the descriptors. */
export function lowerOpenNamespaces(context: Context): Op[] {
  return (context.linux.namespaces ?? []).flatMap(({ type, path }, index): Op[] => {
    if (!path) return [];
    const from = `/linux/namespaces/${index}/path`;
    return [
      { op: 'open-namespace', by: 'runtime', from, slot: slotOf(type), type, path, privateFor: owner(context, type) },
    ];
  });
}

/** The property that would change the host if the namespace were the runtime's own; null if none would. */
function owner({ spec, linux }: Context, type: NamespaceType): string | null {
  if (type === 'uts' && spec.hostname) return '/hostname';
  if (type === 'uts' && spec.domainname) return '/domainname';
  if (type === 'network' && Object.keys(linux.netDevices ?? {}).length > 0) return '/linux/netDevices';
  const sysctl = Object.keys(linux.sysctl ?? {}).find((key) => sysctlNamespace(key) === type);
  return sysctl === undefined ? null : appendPointer('/linux/sysctl', sysctl);
}

/**
 * The clone that starts init, with every new namespace except those that must come later (see needsMoreThanClone).
 *
 * @param makesMounts whether a new mount namespace is a copy of the host's, made with the others
 */
export function lowerClone(context: Context, makesMounts: boolean): Op[] {
  demandNamespaces(context);
  const namespaces = needsMoreThanClone(context)
    ? []
    : clonedTypes.filter((type) => hasNew(context, type) && (makesMounts || type !== 'mount'));
  return [{ op: 'clone', by: 'runtime', from: '/linux/namespaces', namespaces, flags: flagsOf(namespaces) }];
}

/** Brings init into the namespaces that the clone could not give it. */
export function lowerEnterNamespaces(context: Context): Op[] {
  const joins = joinedTypes.filter((type) => isJoined(context, type)).map((type) => join(context, type));
  const mount = isJoined(context, 'mount') ? [join(context, 'mount')] : [];
  if (!needsMoreThanClone(context)) return [...joins, ...mount];
  // In the user namespace init loses its privilege over namespaces that this one does not own. An ordinary user has
  // none before, but gains it over those that a joined user namespace owns.
  const [before, after] = isPrivileged(context) ? [joins, []] : [[], joins];
  return [
    ...before,
    ...lowerUserNamespace(context),
    ...after,
    ...lowerUnshare(context),
    ...lowerTimeOffsets(context),
    ...mount,
    ...lowerFork(context),
  ];
}

function join(context: Context, type: NamespaceType): Op {
  const from = `${namespaceOf(context, type)?.from}/path`;
  return { op: 'join-namespace', by: 'init', from, type, flag: namespaceFlags[type], ns: slotOf(type) };
}

function lowerUserNamespace(context: Context): Op[] {
  if (isJoined(context, 'user')) return [join(context, 'user'), ...lowerCheckIdMaps(context)];
  if (!hasNew(context, 'user')) return [];
  return [...unshare(['user']), ...lowerWriteIdMaps(context)];
}

function lowerUnshare(context: Context): Op[] {
  const types: readonly NamespaceType[] = [...clonedTypes, 'cgroup', 'time'];
  return unshare(types.filter((type) => hasNew(context, type) && exists(context, type)));
}

function unshare(namespaces: readonly NamespaceType[]): Op[] {
  if (namespaces.length === 0) return [];
  return [{ op: 'unshare', by: 'init', from: '/linux/namespaces', namespaces, flags: flagsOf(namespaces) }];
}

/** config-linux.md, Offset for Time Namespace. The kernel allows it only while no process is in the namespace. */
function lowerTimeOffsets({ linux }: Context): Op[] {
  const offsets = Object.entries(linux.timeOffsets ?? {}).map(
    ([clock, { secs = 0, nanosecs = 0 }]) => `${clock} ${secs} ${nanosecs}\n`,
  );
  if (offsets.length === 0) return [];
  return [{ op: 'write-time-offsets', by: 'init', from: '/linux/timeOffsets', offsets }];
}

function lowerFork(context: Context): Op[] {
  if (namespaceOf(context, 'pid') === undefined && !hasNew(context, 'time')) return [];
  return [{ op: 'fork-child', by: 'init', from: '/linux/namespaces', namespaces: [], flags: 0 }];
}

/**
 * Makes the cgroup namespace, in init because the creator's cgroup becomes its root; then sets up the other new ones.
 */
export function lowerLateNamespaces(context: Context): Op[] {
  const ops: Op[] = [];
  if (!needsMoreThanClone(context) && hasNew(context, 'cgroup') && exists(context, 'cgroup'))
    ops.push(...unshare(['cgroup']));
  if (hasNew(context, 'network')) ops.push({ op: 'loopback-up', by: 'init', from: '/linux/namespaces' });
  return ops;
}

/** Without cgroup v2, a cgroup namespace would hide nothing. */
function exists({ host }: Context, type: NamespaceType): boolean {
  return type !== 'cgroup' || host.cgroup.mount !== null;
}

function flagsOf(namespaces: readonly NamespaceType[]): number {
  return namespaces.reduce((sum, type) => sum + namespaceFlags[type], 0);
}

function slotOf(type: NamespaceType): string {
  return `${type}-namespace`;
}
