import { chownSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorCode } from '../errors.ts';

/** Used if /sys/kernel/cgroup/delegate (Linux 4.15) cannot be read: what it lists at least. */
const delegated = ['cgroup.procs', 'cgroup.subtree_control', 'cgroup.threads'];

/**
 * config-linux.md, Cgroup ownership: gives the container's directory, and the files that the kernel calls delegatable,
 * this owner (a host uid), so that a systemd inside can make its own cgroups. The files with the limits keep their
 * owner.
 */
export function ownCgroup(path: string, uid: number): void {
  chownSync(path, uid, -1);
  for (const file of delegatedFiles()) {
    try {
      chownSync(join(path, file), uid, -1);
    } catch (error) {
      // A cgroup need not have every file: memory.oom.group, say, belongs to the memory controller.
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
