import { closeSync } from 'node:fs';
import { constants } from 'node:os';
import { addon } from '../addon.ts';
import { freezeCgroup, isFrozen, thawCgroup } from '../cgroup/freezer.ts';
import { cgroupPids, killCgroup } from '../cgroup/processes.ts';
import { TsrunError } from '../errors.ts';
import { log } from '../log.ts';
import { killContainer } from './kill.ts';
import type { ContainerDirectory } from './store.ts';

/**
 * Signals every process of a container, also of one whose init is gone. Without a cgroup it can only be init.
 *
 * @throws TsrunError in runc's words when there is none
 */
export function killAll(directory: ContainerDirectory, signal: number): void {
  const { cgroup } = directory.read();
  if (cgroup === null) return killContainer(directory, signal);
  if (cgroupPids(cgroup).length === 0) throw new TsrunError('container not running');
  if (signal === constants.signals.SIGKILL) killCgroup(cgroup);
  else whileFrozen(cgroup, () => signalEach(cgroupPids(cgroup), signal));
}

/** Or a process could fork a child that gets no signal, or end and give its pid to another. */
function whileFrozen(cgroup: string, action: () => void): void {
  if (isFrozen(cgroup)) return action();
  try {
    freezeCgroup(cgroup);
  } catch (error) {
    log('warning', `${(error as Error).message}: a process that forks now may be missed`);
  }
  try {
    action();
  } finally {
    thawCgroup(cgroup);
  }
}

function signalEach(pids: readonly number[], signal: number): void {
  for (const pid of pids) {
    try {
      const pidfd = addon().pidfdOpen(pid);
      addon().pidfdSignal(pidfd, signal);
      closeSync(pidfd);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}
