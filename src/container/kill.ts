import { addon } from '../addon.ts';
import { waitForState } from '../cgroup/events.ts';
import { cgroupPids, killCgroup } from '../cgroup/processes.ts';
import { closeQuietly } from '../close.ts';
import { errorCode, systemHint, TsrunError } from '../errors.ts';
import { hasNoMemory, isAlive, isEnding, type ProcessIdentity } from '../host/processes.ts';
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
    throw new TsrunError('container not running', { code: 'EWRONGSTATE' });
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
  return withProcess(identity, (pidfd) => sendSignal(pidfd, signal, identity.pid));
}

/** @throws TsrunError when the process is there and may not be signalled; what says ESRCH as it is */
export function sendSignal(pidfd: number, signal: number, pid: number): void {
  try {
    addon().pidfdSignal(pidfd, signal);
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ESRCH') throw error;
    const hint = code === 'EINVAL' ? 'there is no such signal' : systemHint(error);
    throw new TsrunError(`cannot send signal ${signal} to process ${pid}: ${code}`, { hint, cause: error });
  }
}

/** How long a process that has got SIGKILL may take to end; it may be writing its core. */
const exitTimeoutMs = 10_000;

/** How long init, with nothing left of it, is waited for: as a zombie it can be waited for at once. */
const reapingMs = 50;

/**
 * Kills a container's init with SIGKILL and waits until nothing of it runs. Neither a parent that does not reap it holds
 * this up, nor one that does not reap a process of exec's: the kernel keeps init of a pid namespace until that has been
 * done (pid_namespaces(7)), but by then init and all others have left their cgroup, and given back all that they had.
 *
 * @param cgroup of which all processes are killed; without one, or null, it is init alone
 */
export function endInit({ init, cgroup = null }: { init?: ProcessIdentity; cgroup?: string | null }): void {
  if (init === undefined) return;
  withProcess(init, (pidfd) => {
    sendSignal(pidfd, SIGKILL, init.pid);
    if (cgroup === null) {
      awaitExit(pidfd, init);
      return;
    }
    killCgroup(cgroup);
    waitForState(cgroup, 'populated', false, exitTimeoutMs);
    addon().pidfdWait(pidfd, isEnding(init) ? reapingMs : exitTimeoutMs);
  });
}

/** Until it has ended, or has given back its memory: what it still waits for then is that others reap their children. */
function awaitExit(pidfd: number, init: ProcessIdentity): void {
  for (let waited = 0; waited < exitTimeoutMs && !addon().pidfdWait(pidfd, reapingMs); waited += reapingMs) {
    if (isEnding(init) && hasNoMemory(init.pid)) return;
  }
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
    if (errorCode(error) === 'ESRCH') return false;
    throw error;
  } finally {
    if (pidfd >= 0) closeQuietly(pidfd);
  }
}
