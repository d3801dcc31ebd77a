import { TsrunError } from '../../errors.ts';
import type { Op, WriteIdMapsOp } from '../../generated/ops.ts';
import type { LinuxIDMapping } from '../../generated/spec.ts';
import { hasCapability } from '../../linux/capabilities.ts';
import { type Context, hasNew, namespaceOf } from '../context.ts';

/** config-linux.md, User namespace mappings. */
export function lowerWriteIdMaps(context: Context): Op[] {
  const { host, linux } = context;
  demandRoot(context);
  const write: WriteIdMapsOp = {
    op: 'write-id-maps',
    by: 'runtime',
    from: '/linux/uidMappings',
    uids: lines(linux.uidMappings),
    gids: lines(linux.gidMappings),
    uidHelper: needsHelper(linux.uidMappings, host.uid, hasCapability(host.capabilities, 'CAP_SETUID')),
    gidHelper: needsHelper(linux.gidMappings, host.gid, hasCapability(host.capabilities, 'CAP_SETGID')),
    denySetgroups: deniesSetgroups(context),
  };
  // /proc/PID of a process that is not dumpable belongs to root. This process holds no secrets yet.
  if (host.uid === 0) return [write];
  return [
    { op: 'set-dumpable', by: 'init', from: 'default', dumpable: true },
    write,
    { op: 'set-dumpable', by: 'init', from: 'default', dumpable: false },
  ];
}

/**
 * Filesystems whose directory belongs to the root of the user namespace that mounts them; without a root they have no
 * owner.
 */
const typesOfRoot: readonly string[] = ['devpts', 'mqueue'];

/**
 * If the config mounts a filesystem of the namespace's root, that root must be mapped, at least by a caller that can
 * map any ID; older kernels refuse such a mount with EINVAL. An ordinary user, or root of a namespace, may have only
 * one ID to map.
 *
 * @throws TsrunError with the place of the mappings
 */
function demandRoot(context: Context): void {
  const { host, linux, spec } = context;
  if (!host.initialUserNamespace || !hasCapability(host.capabilities, 'CAP_SETUID')) return;
  const missing = (['uidMappings', 'gidMappings'] as const).find(
    (name) => (linux[name] ?? []).length > 0 && !isMapped(linux[name] ?? [], 0),
  );
  if (missing === undefined) return;
  const index = (spec.mounts ?? []).findIndex(
    ({ type = '', options = [] }) => typesOfRoot.includes(type) && !options.some((name) => /^r?bind$/.test(name)),
  );
  if (index < 0) return;
  throw new TsrunError(
    `container ID 0 is not mapped, but the ${spec.mounts?.[index]?.type} of /mounts/${index} belongs to it`,
    { about: `/linux/${missing}`, hint: 'add a range with containerID 0, or leave the mount out' },
  );
}

/**
 * The config may repeat the mappings of the namespace that it joins (containerd and CRI-O do), but not contradict them.
 */
export function lowerCheckIdMaps({ linux }: Context): Op[] {
  const [uids, gids] = [lines(linux.uidMappings), lines(linux.gidMappings)];
  if (uids.length + gids.length === 0) return [];
  return [{ op: 'check-id-maps', by: 'runtime', from: '/linux/uidMappings', uids, gids }];
}

/** Becomes root of the user namespace, or some other mapped user if it has no root. */
export function lowerAdoptIds(context: Context): Op[] {
  if (namespaceOf(context, 'user') === undefined) return [];
  const { linux, spec } = context;
  const uid = adoptedId(linux.uidMappings, spec.process?.user?.uid ?? 0);
  const gid = adoptedId(linux.gidMappings, spec.process?.user?.gid ?? 0);
  return [{ op: 'adopt-ids', by: 'init', from: '/linux/uidMappings', uid, gid }];
}

/**
 * Whether setgroups must be given up for the right to map the own group: otherwise a process could drop a group to
 * which a file's permissions deny access (CVE-2014-8989).
 */
export function deniesSetgroups(context: Context): boolean {
  const { host, linux } = context;
  if (!hasNew(context, 'user') || hasCapability(host.capabilities, 'CAP_SETGID')) return false;
  return !needsHelper(linux.gidMappings, host.gid, false);
}

/** @throws TsrunError for an ID that is not mapped in the container's user namespace */
export function demandMapped({ linux }: Context, kind: 'uid' | 'gid', id: number, pointer: string): void {
  const mappings = linux[`${kind}Mappings`] ?? [];
  if (mappings.length === 0 || isMapped(mappings, id)) return;
  throw new TsrunError(`${kind} ${id} is not mapped in the container's user namespace`, {
    about: pointer,
    hint: `add a range with it to /linux/${kind}Mappings`,
  });
}

/** The host's uid for the container's user if a user namespace has mappings; undefined otherwise. */
export function hostUid({ linux, spec }: Context): number | undefined {
  const uid = spec.process?.user?.uid ?? 0;
  const mapping = linux.uidMappings?.find(({ containerID, size }) => uid >= containerID && uid < containerID + size);
  return mapping === undefined ? undefined : mapping.hostID + uid - mapping.containerID;
}

function adoptedId(mappings: readonly LinuxIDMapping[] = [], wanted: number): number {
  if (mappings.length === 0 || isMapped(mappings, 0)) return 0;
  return isMapped(mappings, wanted) ? wanted : (mappings[0]?.containerID ?? 0);
}

function isMapped(mappings: readonly LinuxIDMapping[], id: number): boolean {
  return mappings.some(({ containerID, size }) => id >= containerID && id < containerID + size);
}

/** Without privilege a process may map only its own ID; newuidmap(1) and newgidmap(1) may map those in subuid(5). */
function needsHelper(mappings: readonly LinuxIDMapping[] = [], own: number, isPrivileged: boolean): boolean {
  const [first, ...rest] = mappings;
  const isOwn = first?.size === 1 && first.hostID === own && rest.length === 0;
  return !isPrivileged && !isOwn;
}

/** In the form of uid_map(5). */
function lines(mappings: readonly LinuxIDMapping[] = []): string[] {
  return mappings.map(({ containerID, hostID, size }) => `${containerID} ${hostID} ${size}`);
}
