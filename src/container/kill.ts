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
 * runtime.md, Kill: only a created or running container can be signalled. SIGKILL goes to every process: if the
 * container shares a pid namespace, its processes would outlive init, and may even be all that is left of a stopped
 * container.
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

/** Signals exactly this process, never a later one with its pid; false when it is gone. */
export function signalProcess(identity: ProcessIdentity, signal: number): boolean {
  return withProcess(identity, (pidfd) => sendSignal(pidfd, signal, identity.pid));
}

/** @throws TsrunError when the process exists but may not be signalled; ESRCH is thrown as it is */
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

/** How long a process may take to end after SIGKILL; it may be writing its core. */
const exitTimeoutMs = 10_000;

/** How long to wait for init's end when nothing of it runs any more. The wait ends at once if init can be reaped. */
const reapingMs = 50;

/**
 * Kills a container's init with SIGKILL and waits until nothing of the container runs. A parent that does not reap init
 * does not hold this up, and neither does one that does not reap a process of exec's: the kernel keeps the init of a
 * pid namespace until that is done (pid_namespaces(7)), but by then init and all others have left their cgroup and
 * given back all that they had.
 *
 * @param cgroup whose processes are all killed; without one, or null, only init is killed
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

/** Waits until init has ended, or has given back its memory. It then only waits for others to reap their children. */
function awaitExit(pidfd: number, init: ProcessIdentity): void {
  for (let waited = 0; waited < exitTimeoutMs && !addon().pidfdWait(pidfd, reapingMs); waited += reapingMs) {
    if (isEnding(init) && hasNoMemory(init.pid)) return;
  }
}

/** Calls `use` with a pidfd of the process; false when the process is gone. */
function withProcess(identity: ProcessIdentity, use: (pidfd: number) => void): boolean {
  let pidfd = -1;
  try {
    pidfd = addon().pidfdOpen(identity.pid);
    // The start time is checked only after the pidfd has pinned the process.
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
