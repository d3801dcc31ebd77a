import { addon, type ExitStatus } from '../addon.ts';
import { closeQuietly } from '../close.ts';
import { isAlive, type ProcessIdentity, processStat } from '../host/processes.ts';
import { SIGKILL, signalName } from '../linux/signals.ts';
import type { ContainerExit } from './record.ts';

/**
 * Waits until a process, which need not be a child, has ended.
 *
 * @returns undefined when it has been reaped and the kernel keeps no exit status (before Linux 6.15)
 */
export function waitForExit(identity: ProcessIdentity): ExitStatus | undefined {
  let pidfd: number;
  try {
    pidfd = addon().pidfdOpen(identity.pid);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return undefined;
    throw error;
  }
  try {
    // A later process with the same pid must not be waited for.
    if (!isAlive(identity)) return zombieStatus(identity);
    addon().pidfdWait(pidfd, -1);
    const status = zombieStatus(identity);
    if (status !== undefined) return status;
    const waitStatus = addon().exitInfo(pidfd);
    return waitStatus === null ? undefined : exitStatus(waitStatus);
  } finally {
    closeQuietly(pidfd);
  }
}

/** Until the parent reaps the process, its own stat has the status. */
function zombieStatus({ pid, startTime }: ProcessIdentity): ExitStatus | undefined {
  const stat = processStat(pid);
  return stat?.startTime === startTime && stat.state === 'Z' ? exitStatus(stat.waitStatus) : undefined;
}

/** Splits a wait status into its two halves (wait(2)). */
export function exitStatus(waitStatus: number): ExitStatus {
  const signal = waitStatus & 0x7f;
  return signal === 0 ? { code: (waitStatus >>> 8) & 0xff } : { signal };
}

/** `exited with status 3`, `was killed by signal 9 (SIGKILL), out of memory` */
export function describeExit({ code, signal, oomKilled }: ContainerExit): string {
  const memory = oomKilled === true ? ', out of memory' : '';
  if (signal === undefined) return `exited with status ${code}${memory}`;
  const name = signalName(signal);
  // An out-of-memory kill sends SIGKILL; after another end there is no question.
  const unknown = oomKilled === null && signal === SIGKILL;
  const doubt = unknown
    ? '; whether it ran out of memory is unknown: its cgroup and the kernel’s log of it are gone'
    : '';
  return `was killed by signal ${signal}${name === undefined ? '' : ` (${name})`}${memory}${doubt}`;
}
