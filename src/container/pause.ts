import { noCgroupHint } from '../cgroup/cgroupfs.ts';
import { freezeCgroup, thawCgroup } from '../cgroup/freezer.ts';
import { TsrunError } from '../errors.ts';
import { statusOf } from './state.ts';
import type { ContainerDirectory } from './store.ts';

/**
 * Pauses every process of a created or running container.
 *
 * @throws TsrunError in runc's words
 */
export function pauseContainer(directory: ContainerDirectory): void {
  const record = directory.read();
  const status = statusOf(directory, record);
  if (status !== 'running' && status !== 'created')
    throw new TsrunError('container not running', { code: 'EWRONGSTATE' });
  freezeCgroup(demandCgroup(record.cgroup));
}

/** Lets a paused container go on. */
export function resumeContainer(directory: ContainerDirectory): void {
  const record = directory.read();
  if (statusOf(directory, record) !== 'paused') throw new TsrunError('container not paused', { code: 'EWRONGSTATE' });
  thawCgroup(demandCgroup(record.cgroup));
}

function demandCgroup(cgroup: string | null): string {
  if (cgroup !== null) return cgroup;
  throw new TsrunError('cannot pause a container without a cgroup', { code: 'ENOCONTROLLER', hint: noCgroupHint() });
}
