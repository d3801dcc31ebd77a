import { addon } from '../addon.ts';
import { whileFrozen } from '../cgroup/freezer.ts';
import { cgroupPids, killCgroup } from '../cgroup/processes.ts';
import { closeQuietly } from '../close.ts';
import { errorCode, TsrunError } from '../errors.ts';
import { SIGKILL } from '../linux/signals.ts';
import { sendSignal, signalProcess } from './kill.ts';
import type { ContainerRecord } from './record.ts';
import { statusOf } from './state.ts';
import type { ContainerDirectory } from './store.ts';

/**
 * Signals every process of a container, even if its init is gone. Without a cgroup, only init can be signalled. A
 * stopped container may have no process left: that is what the caller wants, so it is no error, as with runc and crun.
 *
 * @throws TsrunError in runc's words when its create has not made a process yet
 */
export function killAll(directory: ContainerDirectory, signal: number): void {
  const record = directory.read();
  // An init that a privileged container has moved out of its cgroup is still its own.
  const init = outsideCgroup(record);
  const inside = signalCgroup(record, signal);
  if (init !== undefined && signalProcess(init, signal)) return;
  if (!inside && statusOf(directory, record) === 'creating')
    throw new TsrunError('container not running', { code: 'EWRONGSTATE' });
}

function outsideCgroup({ init, cgroup }: ContainerRecord): ContainerRecord['init'] {
  if (init === undefined || cgroup === null) return init;
  return cgroupPids(cgroup).includes(init.pid) ? undefined : init;
}

/** False without a process to signal. */
function signalCgroup({ cgroup }: ContainerRecord, signal: number): boolean {
  if (cgroup === null || cgroupPids(cgroup).length === 0) return false;
  if (signal === SIGKILL) killCgroup(cgroup);
  // Frozen, or a process could fork a child that gets no signal, or end and pass its pid to another process.
  else whileFrozen(cgroup, () => signalEach(cgroupPids(cgroup), signal));
  return true;
}

function signalEach(pids: readonly number[], signal: number): void {
  for (const pid of pids) {
    try {
      const pidfd = addon().pidfdOpen(pid);
      sendSignal(pidfd, signal, pid);
      closeQuietly(pidfd);
    } catch (error) {
      if (errorCode(error) !== 'ESRCH') throw error;
    }
  }
}
