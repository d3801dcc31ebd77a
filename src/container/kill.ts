import { closeSync } from 'node:fs';
import { addon } from '../addon.ts';
import { cgroupPids, killCgroup } from '../cgroup/processes.ts';
import { TsrunError } from '../errors.ts';
import { isAlive, type ProcessIdentity } from '../host/processes.ts';
import { SIGKILL } from '../linux/signals.ts';
import type { ContainerRecord } from './record.ts';
import { statusOf } from './state.ts';
import type { ContainerDirectory } from './store.ts';

/**
 * runtime.md, Kill: only a created or running container can be signalled. SIGKILL means every process: without a pid
 * namespace of the container's own they would outlive init, and even be all that is left of a stopped container.
 */
export function killContainer(directory: ContainerDirectory, signal: number): void {
  const record = directory.read();
  if (signal === SIGKILL && !record.ownPids && killByCgroup(record)) return;
  const status = statusOf(directory, record);
  const { init } = record;
  if (init === undefined || status === 'stopped' || status === 'creating' || !signalProcess(init, signal)) {
    throw new TsrunError('container not running');
  }
}

/** False when there is nothing to kill, or no cgroup to find it by. */
function killByCgroup({ cgroup }: ContainerRecord): boolean {
  if (cgroup === null || cgroupPids(cgroup).length === 0) return false;
  killCgroup(cgroup);
  return true;
}

/** Signals this very process, never a later one with its pid; false when it is gone. */
export function signalProcess(identity: ProcessIdentity, signal: number): boolean {
  return withProcess(identity, (pidfd) => addon().pidfdSignal(pidfd, signal));
}

/** Kills a container's init with SIGKILL and waits until it is gone (a parent that does not reap it cannot hold us up). */
export function endInit({ init }: Pick<ContainerRecord, 'init'>): void {
  if (init === undefined) return;
  withProcess(init, (pidfd) => {
    addon().pidfdSignal(pidfd, SIGKILL);
    addon().pidfdWait(pidfd, 10_000);
  });
}

/** Does something to the process behind a pidfd; false when it is gone. */
function withProcess(identity: ProcessIdentity, use: (pidfd: number) => void): boolean {
  let pidfd = -1;
  try {
    pidfd = addon().pidfdOpen(identity.pid);
    // The start time is checked after the pidfd pinned the process.
    if (!isAlive(identity)) return false;
    use(pidfd);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  } finally {
    if (pidfd >= 0) closeSync(pidfd);
  }
}
