import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LinuxIDMapping } from '../generated/spec.ts';
import { isInitialUserNamespace, ownCapabilities } from '../host/facts.ts';
import { hasCapability } from '../linux/capabilities.ts';
import { isThere } from '../there.ts';

/** The facts that decide which container an unprivileged user can have. */
export interface RootlessFacts {
  /**
   * All IDs that may be mapped: the user's own ID as 0 and, if newuidmap(1) and newgidmap(1) can help, the subordinate
   * ones.
   */
  readonly uids: LinuxIDMapping[];
  readonly gids: LinuxIDMapping[];
  /** Whether the kernel would refuse a new procfs, because it would show more than the one here. */
  readonly procIsMasked: boolean;
}

export function rootlessFacts(): RootlessFacts {
  const procIsMasked = isProcMasked(readIfThere('/proc/self/mountinfo'));
  if (isRootOfUserNamespace()) return { ...allOfUserNamespace(), procIsMasked };
  const uid = process.geteuid?.() ?? 0;
  const gid = process.getegid?.() ?? 0;
  const user = userName(uid);
  const more = helpersWork() ? { uids: ranges('uid', uid, user), gids: ranges('gid', uid, user) } : undefined;
  // One kind without the other is of little use, and the helpers have different rules.
  const both = more !== undefined && more.uids.length > 0 && more.gids.length > 0 ? more : { uids: [], gids: [] };
  return {
    uids: [{ containerID: 0, hostID: uid, size: 1 }, ...both.uids],
    gids: [{ containerID: 0, hostID: gid, size: 1 }, ...both.gids],
    procIsMasked,
  };
}

/** Whether the runtime may map what its own user namespace maps. */
function isRootOfUserNamespace(): boolean {
  if (process.geteuid?.() !== 0 || isInitialUserNamespace()) return false;
  const own = ownCapabilities();
  return (['CAP_SETGID', 'CAP_SETUID', 'CAP_SETFCAP'] as const).every((name) => hasCapability(own, name));
}

function allOfUserNamespace() {
  const [uids = [], gids = []] = (['uid', 'gid'] as const).map((kind) =>
    mapLines(readIfThere(`/proc/self/${kind}_map`)).map(([id, , size]) => ({ containerID: id, hostID: id, size })),
  );
  return { uids, gids };
}

/** ID inside, ID outside and count, for each line of /proc/self/uid_map or gid_map. */
function mapLines(map: string): [number, number, number][] {
  return map
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.trim().split(/\s+/).map(Number) as [number, number, number]);
}

/** Whether newuidmap(1) and newgidmap(1) exist, and can gain their privilege. */
function helpersWork(): boolean {
  const path = (process.env.PATH ?? '').split(':');
  const areThere = ['newuidmap', 'newgidmap'].every((name) => path.some((place) => isOnPath(join(place, name))));
  if (!areThere || process.geteuid?.() === 0) return false;
  return !/^NoNewPrivs:\s*1$/m.test(readIfThere('/proc/self/status')) && boundsAllow();
}

/** Like execvp(3) on the PATH, skips what cannot be looked at. */
function isOnPath(path: string): boolean {
  try {
    return isThere(path);
  } catch {
    return false;
  }
}

/** CAP_SETGID and CAP_SETUID. */
function boundsAllow(): boolean {
  const bounding = /^CapBnd:\s*([0-9a-f]+)$/m.exec(readIfThere('/proc/self/status'))?.[1] ?? '0';
  return (BigInt(`0x${bounding}`) & 0xc0n) === 0xc0n;
}

function ranges(kind: 'uid' | 'gid', uid: number, user: string | undefined): LinuxIDMapping[] {
  const map = readIfThere(`/proc/self/${kind}_map`);
  return subordinateMappings(readIfThere(`/etc/sub${kind}`), [String(uid), user ?? ''], map);
}

/**
 * Mappings, from ID 1 on, for the ranges that subuid(5) gives a user, as far as this user namespace has those IDs.
 *
 * @param table text of /etc/subuid or /etc/subgid
 * @param names of the user: its uid and its login name
 * @param map text of /proc/self/uid_map or gid_map
 */
export function subordinateMappings(table: string, names: readonly string[], map: string): LinuxIDMapping[] {
  let containerID = 1;
  const mappings: LinuxIDMapping[] = [];
  for (const line of table.split('\n')) {
    const [name = '', start = '', count = ''] = line.trim().split(':');
    const [hostID, size] = [Number(start), Number(count)];
    if (!names.includes(name) || name === '' || !(size > 0) || !isInMap(map, hostID, size)) continue;
    mappings.push({ containerID, hostID, size });
    containerID += size;
  }
  return mappings;
}

function isInMap(map: string, start: number, count: number): boolean {
  return mapLines(map).some(([inner, , size]) => start >= inner && start + count <= inner + size);
}

/** Reads passwd(5) itself, because subuid(5) has users by name. */
function userName(uid: number): string | undefined {
  const lines = readIfThere('/etc/passwd').split('\n');
  return lines.map((line) => line.split(':')).find((fields) => fields[2] === String(uid))?.[0];
}

/** Directories of procfs that are always empty: a mount there hides nothing. */
const emptyPlaces = ['/sys/fs/binfmt_misc', '/fs/nfsd', '/openprom'];

/**
 * Whether something is mounted over a part of every procfs here, as with a container's masked and read-only paths. A
 * new procfs in another user namespace would show what is hidden, so the kernel refuses it (mount_too_revealing in
 * fs/namespace.c).
 *
 * @param mountInfo text of /proc/self/mountinfo
 */
export function isProcMasked(mountInfo: string): boolean {
  const mounts = mountInfo.split('\n').map((line) => line.split(' '));
  const isProc = (fields: string[]) => fields[3] === '/' && fields[fields.indexOf('-') + 1] === 'proc';
  const hides = ([proc, , , , place = '']: string[]) =>
    mounts.some(([, parent, , , at = '']) => parent === proc && !emptyPlaces.includes(at.slice(place.length)));
  return !mounts.some((fields) => isProc(fields) && !hides(fields));
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // The template is a proposal, so what cannot be seen is taken as missing.
    return '';
  }
}
