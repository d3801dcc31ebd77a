import { readFileSync } from 'node:fs';
import { addon } from '../addon.ts';
import { closeQuietly } from '../close.ts';
import { errorCode, systemHint, TsrunError } from '../errors.ts';
import { isProcessGone, isThere } from '../there.ts';

/** A process as proc_pid_stat(5) describes it. */
export interface ProcessStat {
  /** At most 15 characters; execve(2) changes it. */
  name: string;
  /** R, S, D, Z, … */
  state: string;
  /** Clock ticks since boot. */
  startTime: number;
  /** Whether it has ended, or is about to. */
  isEnding: boolean;
  /** Size of its address space in bytes; 0 when it has ended, or is about to and has given its memory back. */
  size: number;
  /** The wait status of wait(2). */
  waitStatus: number;
}

/**
 * The name that tsrun-init gives itself (addon/common/init_name.h). The name that execve(2) sets comes from the program's
 * file name and never has a slash.
 */
export const initName = 'tsrun/init';

/** PF_EXITING from the kernel's sched.h. */
const exitingFlag = 0x4;

/**
 * Undefined when the process does not exist, and also when /proc hides it from this user (hidepid of proc(5)); `look`
 * can tell these apart.
 *
 * @throws TsrunError when even that cannot be found out
 */
export function processStat(pid: number): ProcessStat | undefined {
  const text = readProcessFile(`/proc/${pid}/stat`, pid);
  if (text === undefined) return undefined;
  // The name is in parentheses and may have any character, even a parenthesis.
  const end = text.lastIndexOf(')');
  const fields = text.slice(end + 2).split(' ');
  return {
    name: text.slice(text.indexOf('(') + 1, end),
    state: fields[0] ?? '',
    startTime: Number(fields[19]),
    isEnding: (Number(fields[6]) & exitingFlag) !== 0,
    size: Number(fields[20]),
    waitStatus: Number(fields[49]),
  };
}

function readProcessFile(path: string, pid: number): string | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch (error) {
    if (!isProcessGone(error) && !isForbidden(error)) throw cannotLook(pid, `${path}: ${errorCode(error)}`, error);
  }
  if (isThere('/proc/self/stat')) return undefined;
  throw new TsrunError(`cannot look at process ${pid}: there is no procfs at /proc`, {
    hint: 'mount -t proc proc /proc',
  });
}

/** hidepid=1 answers EPERM, a security module EACCES. */
function isForbidden(error: unknown): boolean {
  const code = errorCode(error);
  return code === 'EPERM' || code === 'EACCES';
}

function cannotLook(pid: number, why: string, cause: unknown): TsrunError {
  return new TsrunError(`cannot look at process ${pid}: ${why}`, { hint: systemHint(cause), cause });
}

/** The error for a process that this user may not see in /proc and that nothing else identifies. */
export function hiddenProcess(pid: number): TsrunError {
  return new TsrunError(`cannot look at process ${pid}: /proc hides it from this user`, {
    hint: 'is it mounted with hidepid? Then give the user the group of its option gid=',
  });
}

/** The start time noted for a process that was hidden. */
const unseen = 0;

/**
 * Returns what tells a living process from a later one with its pid.
 *
 * @param pidfd of the process
 * @throws TsrunError when nothing does
 */
export function identityOf(pid: number, pidfd: number): ProcessIdentity {
  const startTime = processStat(pid)?.startTime;
  const inode = addon().pidfdInode(pidfd);
  if (startTime === undefined && inode === null) throw hiddenProcess(pid);
  return { pid, startTime: startTime ?? unseen, ...(inode !== null && { inode }) };
}

/** Looked up once: a program that uses the library may make thousands of containers. */
export function ownIdentity(): ProcessIdentity {
  own ??= lookUpOwn();
  return own;
}

let own: ProcessIdentity | undefined;

function lookUpOwn(): ProcessIdentity {
  const pidfd = addon().pidfdOpen(process.pid);
  try {
    return identityOf(process.pid, pidfd);
  } finally {
    closeQuietly(pidfd);
  }
}

/** The pid that a process itself sees, in its own pid namespace. The descriptor also tells it for a hidden process. */
export function innermostPid(pid: number, pidfd: number): number {
  const text = readProcessFile(`/proc/self/fdinfo/${pidfd}`, pid) ?? '';
  return Number(/^NSpid:.*\t(\d+)$/m.exec(text)?.[1] ?? pid);
}

/** What can be known even about a hidden process. */
type Sight = Pick<ProcessStat, 'state' | 'isEnding'>;

/**
 * What is seen of exactly this process; undefined when it is gone.
 *
 * @throws TsrunError when nothing can be seen, because the process may well be running
 */
function look(identity: ProcessIdentity): Sight | undefined {
  const stat = processStat(identity.pid);
  if (stat === undefined || identity.startTime === unseen) return lookByPidfd(identity, stat);
  return stat.startTime === identity.startTime ? stat : undefined;
}

/**
 * Looks at the process through a pidfd: every user may have one of any process, and its inode is never used for a later
 * process (pidfs, Linux 6.9).
 */
function lookByPidfd(identity: ProcessIdentity, stat: Sight | undefined): Sight | undefined {
  const pidfd = pidfdIfThere(identity.pid);
  if (pidfd === undefined) return undefined;
  try {
    const inode = addon().pidfdInode(pidfd);
    if (inode === null || identity.inode === undefined) {
      // The pid can have passed to another process since it was looked at.
      const now = processStat(identity.pid)?.startTime;
      if (now === undefined || identity.startTime === unseen) throw hiddenProcess(identity.pid);
      return now === identity.startTime ? stat : undefined;
    }
    if (inode !== identity.inode) return undefined;
    const isEnding = addon().pidfdWait(pidfd, 0);
    return stat ?? { state: isEnding ? 'Z' : '?', isEnding };
  } finally {
    closeQuietly(pidfd);
  }
}

function pidfdIfThere(pid: number): number | undefined {
  try {
    return addon().pidfdOpen(pid);
  } catch (error) {
    if (errorCode(error) === 'ESRCH') return undefined;
    throw cannotLook(pid, errorCode(error), error);
  }
}

/** Whether a process that is ending has given its memory back, or shows none. */
export function hasNoMemory(pid: number): boolean {
  return (processStat(pid)?.size ?? 0) === 0;
}

/**
 * Whether exactly this process has ended or is about to. An init that is about to has already killed all others in its
 * pid namespace.
 */
export function isEnding(identity: ProcessIdentity): boolean {
  return look(identity)?.isEnding !== false;
}

/** Whether exactly this process (not a later one with the same pid) exists and is no zombie. */
export function isAlive(identity: ProcessIdentity): boolean {
  const sight = look(identity);
  return sight !== undefined && sight.state !== 'Z' && sight.state !== 'X';
}

/**
 * Identifies a process. A pid alone may belong to another one by now; together with the start time, or a pidfd's inode,
 * it cannot.
 */
export interface ProcessIdentity {
  readonly pid: number;
  /** Field 22 of proc_pid_stat(5), in clock ticks since boot; 0 if /proc did not show it. */
  readonly startTime: number;
  /** Inode of its pidfd; absent if the kernel has only one for all (before 6.9), and in records of earlier versions. */
  readonly inode?: number;
}
