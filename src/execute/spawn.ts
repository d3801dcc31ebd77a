import { closeSync } from 'node:fs';
import { addon, type SpawnOptions } from '../addon.ts';
import { openCgroup } from '../cgroup/cgroupfs.ts';
import type { CloneOp, OpenContainerOp } from '../generated/ops.ts';
import { isAlive } from '../host/processes.ts';
import { containerStopped, describeFailure } from './words.ts';

/** A pidfd of a container's init process. */
export function openContainer({ pid, startTime }: OpenContainerOp): number {
  let pidfd: number;
  try {
    pidfd = addon().pidfdOpen(Number(pid));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') throw containerStopped();
    throw error;
  }
  // Asked after the pidfd has pinned the process: before, it could still have become another.
  if (isAlive({ pid: Number(pid), startTime: Number(startTime) })) return pidfd;
  closeSync(pidfd);
  throw containerStopped();
}

/**
 * Starts init, inside its cgroup. cgroup-v2.rst, No Internal Process Constraint: one that hands controllers to cgroups
 * below it may hold no processes of its own (EBUSY), nor may one among threaded ones (EOPNOTSUPP).
 *
 * @param fallback another cgroup to be born in then
 * @throws TsrunError when the kernel refuses
 */
export function spawnInit(op: CloneOp, fallback: string | null, options: SpawnOptions): { pid: number; pidfd: number } {
  try {
    return addon().spawnInit(options);
  } catch (error) {
    const { code, errno } = error as NodeJS.ErrnoException;
    if (fallback !== null && (code === 'EBUSY' || code === 'EOPNOTSUPP')) {
      return spawnInCgroup(op, fallback, options);
    }
    // Being removed: the container has ended.
    if (code === 'ENODEV') throw containerStopped();
    if (errno === undefined) throw error;
    throw describeFailure(op, { error: errno, value: 0, detail: '' });
  }
}

function spawnInCgroup(op: CloneOp, path: string, options: SpawnOptions): { pid: number; pidfd: number } {
  const cgroupFd = openCgroup(path);
  try {
    return spawnInit(op, null, { ...options, cgroupFd });
  } finally {
    closeSync(cgroupFd);
  }
}
