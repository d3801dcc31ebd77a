import { chownSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorCode } from '../errors.ts';

/** What an unreadable /sys/kernel/cgroup/delegate (Linux 4.15) would list at least. */
const delegated = ['cgroup.procs', 'cgroup.subtree_control', 'cgroup.threads'];

/**
 * config-linux.md, Cgroup ownership: the container's directory and the files that the kernel calls delegatable get this
 * owner (a host uid), so that a systemd inside can make cgroups of its own. Limits stay with their owner.
 */
export function ownCgroup(path: string, uid: number): void {
  chownSync(path, uid, -1);
  for (const file of delegatedFiles()) {
    try {
      chownSync(join(path, file), uid, -1);
    } catch (error) {
      // Not every cgroup has every file: memory.oom.group, say, is the memory controller's.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
}

function delegatedFiles(): string[] {
  try {
    return readFileSync('/sys/kernel/cgroup/delegate', 'utf8').split('\n').filter(Boolean);
  } catch (error) {
    if (['ENOENT', 'EACCES'].includes(errorCode(error))) return delegated;
    throw error;
  }
}
