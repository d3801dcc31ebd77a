import { constants } from 'node:os';
import { freezeCgroup, isFrozen, thawCgroup } from '../cgroup/freezer.ts';
import { cgroupPids, killCgroup, signalEach } from '../cgroup/processes.ts';
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
