import { readFileSync } from 'node:fs';
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
 * Undefined when there is no such process.
 *
 * @throws TsrunError when that cannot be known: what was not seen may well run
 */
export function processStat(pid: number): ProcessStat | undefined {
  const text = readProcessFile(pid, 'stat');
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

function readProcessFile(pid: number, name: string): string | undefined {
  const path = `/proc/${pid}/${name}`;
  try {
    return readFileSync(path, 'latin1');
  } catch (error) {
    if (!isProcessGone(error)) {
      const hint = systemHint(error);
      throw new TsrunError(`cannot look at process ${pid}: ${path}: ${errorCode(error)}`, { hint, cause: error });
    }
  }
  if (isThere('/proc/self/stat')) return undefined;
  throw new TsrunError(`cannot look at process ${pid}: there is no procfs at /proc`, {
    hint: 'mount -t proc proc /proc',
  });
}

/**
 * What tells a process that is there from a later one with its pid.
 *
 * @throws TsrunError when it is not there
 */
export function startTimeOf(pid: number): number {
  const stat = processStat(pid);
  if (stat === undefined) throw new TsrunError(`cannot look at process ${pid}: it is gone`);
  return stat.startTime;
}

/** The pid that the process itself sees, in its own pid namespace; the pid given when it is gone. */
export function innermostPid(pid: number): number {
  return Number(/^NSpid:.*\t(\d+)$/m.exec(readProcessFile(pid, 'status') ?? '')?.[1] ?? pid);
}

/** Whether a process has given its memory back, as one does that ends. */
export function hasNoMemory(pid: number): boolean {
  return (processStat(pid)?.size ?? 0) === 0;
}

/** Whether this very process has ended or is about to: an init that is has killed all others in its pid namespace. */
export function isEnding(identity: { pid: number; startTime: number }): boolean {
  const stat = processStat(identity.pid);
  return stat === undefined || stat.isEnding || stat.startTime !== identity.startTime;
}

/** Whether this very process (not a later one with the same pid) is there and no zombie. */
export function isAlive(identity: { pid: number; startTime: number }): boolean {
  const stat = processStat(identity.pid);
  return stat !== undefined && stat.startTime === identity.startTime && stat.state !== 'Z' && stat.state !== 'X';
}

/** A pid alone may be another process by now; with its start time it cannot. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Field 22 of proc_pid_stat(5): clock ticks since boot. */
  readonly startTime: number;
}
