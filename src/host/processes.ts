import { readFileSync } from 'node:fs';
import { rethrowExhausted } from '../errors.ts';

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
  /** As wait(2) gives it. */
  waitStatus: number;
}

/** PF_EXITING of the kernel's sched.h. */
const exitingFlag = 0x4;

/** Undefined when there is no such process. */
export function processStat(pid: number): ProcessStat | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch (error) {
    rethrowExhausted(error);
    return undefined;
  }
  // The command's name stands in parentheses and may hold any character, parentheses included.
  const end = text.lastIndexOf(')');
  const fields = text.slice(end + 2).split(' ');
  return {
    name: text.slice(text.indexOf('(') + 1, end),
    state: fields[0] ?? '',
    startTime: Number(fields[19]),
    isEnding: (Number(fields[6]) & exitingFlag) !== 0,
    waitStatus: Number(fields[49]),
  };
}

/** The pid that the process itself sees, in its own pid namespace; the pid given when it is gone. */
export function innermostPid(pid: number): number {
  try {
    return Number(/^NSpid:.*\t(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? pid);
  } catch (error) {
    rethrowExhausted(error);
    return pid;
  }
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
