import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import type { CloneOp, JoinNamespaceOp, Op, UnshareOp, WriteSysctlOp } from '../../generated/ops.ts';
import { nearPath } from '../../host/near-path.ts';
import { isThere } from '../../there.ts';
import { forbiddenAround } from './mount-hints.ts';

const { EACCES, EINVAL, ENOENT, ENOSPC, EOPNOTSUPP, EPERM, ERANGE } = constants.errno;
/** From errno(3); node:os lacks it. */
const EUSERS = 87;

/**
 * What to do about a namespace, or something that belongs to one, where the kernel's errno alone does not say.
 *
 * @param confined whether in a user namespace that is not the host's
 * @param ops the ops that it belongs to
 */
export function namespaceHint(op: Op, error: number, confined: boolean, ops: readonly Op[]): string | undefined {
  switch (op.op) {
    case 'unshare':
    case 'clone':
      return unshareHint(op, error);
    case 'join-namespace':
      return joinHint(op, error);
    case 'adopt-ids':
      return error === EINVAL ? 'the user namespace maps no such ID' : undefined;
    case 'set-user':
      return error === EINVAL ? 'the user namespace that is joined maps no such ID' : undefined;
    case 'write-time-offsets':
      return error === ERANGE ? 'no clock may be set to before its start, or beyond 146 years' : undefined;
    case 'write-sysctl':
      return sysctlHint(op, error, confined, ops);
    default:
      return undefined;
  }
}

function unshareHint({ namespaces }: UnshareOp | CloneOp, error: number): string | undefined {
  if (namespaces.length === 0) return undefined;
  if (error === EINVAL) return 'the kernel is built without one of these namespaces';
  if (error === ENOSPC || error === EUSERS) return 'a limit of /proc/sys/user/max_*_namespaces is reached';
  if (error !== EPERM) return undefined;
  return namespaces.includes('user') ? userNamespaceHint(process.geteuid?.() === 0) : forbiddenAround;
}

/** Files below /proc/sys, each with the value that keeps ordinary users from making user namespaces. */
const switches: readonly (readonly [file: string, off: string])[] = [
  ['kernel/unprivileged_userns_clone', '0'],
  ['kernel/apparmor_restrict_unprivileged_userns', '1'],
];

/** @param read returns a file below /proc/sys, undefined if it does not exist */
export function userNamespaceHint(isRoot: boolean, read = parameterValue): string {
  const off = isRoot ? [] : switches.filter(([file, value]) => read(file) === value).map(([file]) => file);
  if (off.length === 0) return `in a chroot(2) nobody may make one; or ${forbiddenAround}`;
  const names = off.map((file) => file.replaceAll('/', '.')).join(' and ');
  return `switched off for ordinary users: see ${names} in sysctl(8)`;
}

/** Value of a file below /proc/sys; undefined if it cannot be read. */
export function parameterValue(file: string): string | undefined {
  try {
    return readFileSync(`/proc/sys/${file}`, 'utf8').trim();
  } catch {
    return undefined;
  }
}

function joinHint({ type }: JoinNamespaceOp, error: number): string | undefined {
  if (error === EPERM) return 'it belongs to a user namespace that gives no privilege here: join that one too';
  if (error !== EINVAL) return undefined;
  if (type === 'user') return 'the runtime is in it already: leave the entry out';
  return type === 'pid' ? 'only a pid namespace below the runtime’s own can be joined' : undefined;
}

function sysctlHint({ key }: WriteSysctlOp, error: number, confined: boolean, ops: readonly Op[]): string | undefined {
  if (error === ENOENT) return missingHint(key);
  if (error === EINVAL || error === ERANGE) return 'the kernel does not take this value';
  if (error === EOPNOTSUPP)
    return 'leave it out, or use Linux 6.14 or later; /linux/resources/pids limits processes, too';
  if (error !== EACCES && error !== EPERM) return undefined;
  const isJoined = ops.some((op) => op.op === 'join-namespace' && op.type === 'network');
  // Root of the user namespace that owns a network namespace may write all that can be written there at all.
  if (!confined || (key.startsWith('net/') && !isJoined)) return hostOnly;
  const instead = key === 'kernel/domainname' ? ': use /domainname' : '';
  return `it cannot be set in a user namespace${instead}`;
}

const hostOnly = 'this kernel lets it be set in the host’s own namespace only: leave it out, and set it on the host';

function missingHint(key: string): string {
  if (/^net\/[^/]+\/(conf|neigh)\//.test(key)) {
    return 'this kernel has no such parameter, or the network device that it names is not there';
  }
  // Settings of the host's network namespace alone are not visible in any other.
  if (key.startsWith('net/') && isThere(`/proc/sys/${key}`)) return hostOnly;
  const meant = nearPath(`/proc/sys/${key}`);
  return `this kernel has no such parameter${meant === undefined ? '' : `: ${meant}`}`;
}
