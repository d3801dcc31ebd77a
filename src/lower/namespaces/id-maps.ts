import { TsrunError } from '../../errors.ts';
import type { Op, WriteIdMapsOp } from '../../generated/ops.ts';
import type { LinuxIDMapping } from '../../generated/spec.ts';
import { type Context, hasNew, namespaceOf } from '../context.ts';

const capSetgid = 1n << 6n;
const capSetuid = 1n << 7n;

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
    uidHelper: needsHelper(linux.uidMappings, host.uid, (host.capabilities & capSetuid) !== 0n),
    gidHelper: needsHelper(linux.gidMappings, host.gid, (host.capabilities & capSetgid) !== 0n),
    denySetgroups: deniesSetgroups(context),
  };
  // /proc/PID of a process that is not dumpable belongs to root. Nothing of value is in the process yet.
  if (host.uid === 0) return [write];
  return [
    { op: 'set-dumpable', by: 'init', from: 'default', dumpable: true },
    write,
    { op: 'set-dumpable', by: 'init', from: 'default', dumpable: false },
  ];
}

/** Filesystems whose directory belongs to the root of the user namespace that mounts them, and to nobody without it. */
const typesOfRoot: readonly string[] = ['devpts', 'mqueue'];

/**
 * Who can map any ID must map the namespace's root where the config mounts what belongs to it; older kernels refuse such
 * a mount with EINVAL. An ordinary user, or root of a namespace, may have no other ID than one's own.
 *
 * @throws TsrunError with the place of the mappings
 */
function demandRoot(context: Context): void {
  const { host, linux, spec } = context;
  if (!host.initialUserNamespace || (host.capabilities & capSetuid) === 0n) return;
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

/** The config may repeat the mappings of the namespace that is joined (containerd and CRI-O do), not contradict them. */
export function lowerCheckIdMaps({ linux }: Context): Op[] {
  const [uids, gids] = [lines(linux.uidMappings), lines(linux.gidMappings)];
  if (uids.length + gids.length === 0) return [];
  return [{ op: 'check-id-maps', by: 'runtime', from: '/linux/uidMappings', uids, gids }];
}

/** Root of the user namespace, or somebody else where it has none. */
export function lowerAdoptIds(context: Context): Op[] {
  if (namespaceOf(context, 'user') === undefined) return [];
  const { linux, spec } = context;
  const uid = adoptedId(linux.uidMappings, spec.process?.user?.uid ?? 0);
  const gid = adoptedId(linux.gidMappings, spec.process?.user?.gid ?? 0);
  return [{ op: 'adopt-ids', by: 'init', from: '/linux/uidMappings', uid, gid }];
}

/**
 * Whether setgroups must be given up for the right to map one's own group: without it, anybody could drop a group that
 * a file's permissions are against (CVE-2014-8989).
 */
export function deniesSetgroups(context: Context): boolean {
  const { host, linux } = context;
  if (!hasNew(context, 'user') || (host.capabilities & capSetgid) !== 0n) return false;
  return !needsHelper(linux.gidMappings, host.gid, false);
}

/** @throws TsrunError for an ID that the container's user namespace does not have */
export function demandMapped({ linux }: Context, kind: 'uid' | 'gid', id: number, pointer: string): void {
  const mappings = linux[`${kind}Mappings`] ?? [];
  if (mappings.length === 0 || isMapped(mappings, id)) return;
  throw new TsrunError(`${kind} ${id} is not mapped in the container's user namespace`, {
    about: pointer,
    hint: `add a range with it to /linux/${kind}Mappings`,
  });
}

/** Of the container's user where a user namespace has mappings; undefined otherwise. */
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

/** Without privilege a process may map its own ID only; newuidmap(1) and newgidmap(1) may map those of subuid(5). */
function needsHelper(mappings: readonly LinuxIDMapping[] = [], own: number, isPrivileged: boolean): boolean {
  const [first, ...rest] = mappings;
  const isOwn = first?.size === 1 && first.hostID === own && rest.length === 0;
  return !isPrivileged && !isOwn;
}

/** As uid_map(5) has them. */
function lines(mappings: readonly LinuxIDMapping[] = []): string[] {
  return mappings.map(({ containerID, hostID, size }) => `${containerID} ${hostID} ${size}`);
}
