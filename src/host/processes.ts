import { readFileSync } from 'node:fs';
import { addon } from '../addon.ts';
import { closeQuietly } from '../close.ts';
import { errorCode, systemHint, TsrunError } from '../errors.ts';
import { isProcessGone, isThere } from '../there.ts';

/** What proc_pid_stat(5) says of a process. */
export interface ProcessStat {
  /** At most 15 characters; execve(2) changes it. */
  name: string;
  /** R, S, D, Z, … */
  state: string;
  /** Clock ticks since boot. */
  startTime: number;
  /** It has ended, or is about to. */
  isEnding: boolean;
  /** Bytes of its address space; none when it has ended, or is past giving it back. */
  size: number;
  /** As wait(2) gives it. */
  waitStatus: number;
}

/** PF_EXITING of the kernel's sched.h. */
const exitingFlag = 0x4;

/**
 * Undefined when there is no such process, and when /proc hides it from this user (hidepid of proc(5)): `look` tells which.
 *
 * @throws TsrunError when neither can be known
 */
export function processStat(pid: number): ProcessStat | undefined {
  const text = readProcessFile(`/proc/${pid}/stat`, pid);
  if (text === undefined) return undefined;
  // The command's name stands in parentheses and may hold any character, parentheses included.
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

/** hidepid=1 has EPERM for it, a security module EACCES. */
function isForbidden(error: unknown): boolean {
  const code = errorCode(error);
  return code === 'EPERM' || code === 'EACCES';
}

function cannotLook(pid: number, why: string, cause: unknown): TsrunError {
  return new TsrunError(`cannot look at process ${pid}: ${why}`, { hint: systemHint(cause), cause });
}

/** Of a process that this user may not see in /proc and that nothing else identifies. */
export function hiddenProcess(pid: number): TsrunError {
  return new TsrunError(`cannot look at process ${pid}: /proc hides it from this user`, {
    hint: 'is it mounted with hidepid? Then give the user the group of its option gid=',
  });
}

/** The start time of a process that was hidden when it was noted. */
const unseen = 0;

/**
 * What tells a process that is there from a later one with its pid.
 *
 * @param pidfd of it
 * @throws TsrunError when nothing does
 */
export function identityOf(pid: number, pidfd: number): ProcessIdentity {
  const startTime = processStat(pid)?.startTime;
  const inode = addon().pidfdInode(pidfd);
  if (startTime === undefined && inode === null) throw hiddenProcess(pid);
  return { pid, startTime: startTime ?? unseen, ...(inode !== null && { inode }) };
}

export function ownIdentity(): ProcessIdentity {
  const pidfd = addon().pidfdOpen(process.pid);
  try {
    return identityOf(process.pid, pidfd);
  } finally {
    closeQuietly(pidfd);
  }
}

/** The pid that a process itself sees, in its own pid namespace. The descriptor tells it of hidden ones, too. */
export function innermostPid(pid: number, pidfd: number): number {
  const text = readProcessFile(`/proc/self/fdinfo/${pidfd}`, pid) ?? '';
  return Number(/^NSpid:.*\t(\d+)$/m.exec(text)?.[1] ?? pid);
}

/** What can be known of a hidden process, too. */
type Sight = Pick<ProcessStat, 'state' | 'isEnding'>;

/**
 * What is seen of this very process; undefined when it is gone.
 *
 * @throws TsrunError when that cannot be known: what was not seen may well run
 */
function look(identity: ProcessIdentity): Sight | undefined {
  const stat = processStat(identity.pid);
  if (stat === undefined || identity.startTime === unseen) return lookByPidfd(identity, stat);
  return stat.startTime === identity.startTime ? stat : undefined;
}

/** Everybody may have a pidfd of every process, and its inode is no later process's (pidfs, Linux 6.9). */
function lookByPidfd(identity: ProcessIdentity, stat: Sight | undefined): Sight | undefined {
  const pidfd = pidfdIfThere(identity.pid);
  if (pidfd === undefined) return undefined;
  try {
    const inode = addon().pidfdInode(pidfd);
    if (inode === null || identity.inode === undefined) {
      // Another process can have got the pid since it was looked at.
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

/** Whether a process that is ending has given its memory back, or cannot be seen to have any. */
export function hasNoMemory(pid: number): boolean {
  return (processStat(pid)?.size ?? 0) === 0;
}

/** Whether this very process has ended or is about to: an init that is has killed all others in its pid namespace. */
export function isEnding(identity: ProcessIdentity): boolean {
  return look(identity)?.isEnding !== false;
}

/** Whether this very process (not a later one with the same pid) is there and no zombie. */
export function isAlive(identity: ProcessIdentity): boolean {
  const sight = look(identity);
  return sight !== undefined && sight.state !== 'Z' && sight.state !== 'X';
}

/** A pid alone may be another process by now; with its start time, or the inode of a pidfd, it cannot. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Field 22 of proc_pid_stat(5), clock ticks since boot; 0 when /proc did not show it. */
  readonly startTime: number;
  /** Of its pidfd; absent where the kernel has one for all (before 6.9), and in records of earlier versions. */
  readonly inode?: number;
}
