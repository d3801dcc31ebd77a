import { addon, type SpawnOptions } from '../addon.ts';
import { openCgroup } from '../cgroup/cgroupfs.ts';
import { enabledControllers } from '../cgroup/controllers.ts';
import { closeQuietly } from '../close.ts';
import { TsrunError } from '../errors.ts';
import type { CloneOp, OpenContainerOp } from '../generated/ops.ts';
import { isAlive } from '../host/processes.ts';
import { containerStopped, describeFailure } from './failures/failure.ts';

/** A pidfd of a container's init process. */
export function openContainer({ pid, startTime, inode }: OpenContainerOp): number {
  let pidfd: number;
  try {
    pidfd = addon().pidfdOpen(Number(pid));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') throw containerStopped();
    throw error;
  }
  // Checked only after the pidfd has pinned the process; before that, the pid could have passed to another process.
  const identity = { pid: Number(pid), startTime: Number(startTime), ...(inode && { inode: Number(inode) }) };
  try {
    if (isAlive(identity)) return pidfd;
  } catch (error) {
    closeQuietly(pidfd);
    throw error;
  }
  closeQuietly(pidfd);
  throw containerStopped();
}

/** The cgroup that init is born in. */
export interface Birthplace {
  /** Absolute path of the cgroup whose descriptor the options have. */
  readonly path: string;
  /** The cgroup to use if that one may not hold processes. */
  readonly fallback: string | null;
}

/** Begins to start init; awaitInit must follow. */
export function startInit(op: CloneOp, options: SpawnOptions): void {
  try {
    addon().startInit(options);
  } catch (error) {
    throw cloneFailed(op, error as NodeJS.ErrnoException);
  }
}

/**
 * Waits for init, which startInit has begun to start inside its cgroup. A cgroup that hands controllers to cgroups
 * below it may hold no processes of its own (EBUSY), nor may one among threaded cgroups (EOPNOTSUPP); see
 * cgroup-v2.rst, No Internal Process Constraint.
 *
 * @throws TsrunError when the kernel refuses
 */
export function awaitInit(
  op: CloneOp,
  { path, fallback }: Birthplace,
  options: SpawnOptions,
): { pid: number; pidfd: number } {
  try {
    return addon().awaitInit();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (fallback !== null && (code === 'EBUSY' || code === 'EOPNOTSUPP')) {
      return startInCgroup(op, fallback, options);
    }
    if (code === 'EBUSY') throw cannotHoldProcesses(path);
    // The cgroup is being removed, so the container has ended.
    if (code === 'ENODEV') throw containerStopped();
    throw cloneFailed(op, error as NodeJS.ErrnoException);
  }
}

function cloneFailed(op: CloneOp, error: NodeJS.ErrnoException): Error {
  return error.errno === undefined ? error : describeFailure(op, { error: error.errno, value: 0, detail: '' });
}

function startInCgroup(op: CloneOp, path: string, options: SpawnOptions): { pid: number; pidfd: number } {
  const cgroupFd = openCgroup(path);
  try {
    const elsewhere = { ...options, cgroupFd };
    startInit(op, elsewhere);
    return awaitInit(op, { path, fallback: null }, elsewhere);
  } finally {
    closeQuietly(cgroupFd);
  }
}

function cannotHoldProcesses(path: string): TsrunError {
  const controllers = enabledControllers(path).join(', ');
  return new TsrunError(
    `cannot enter the cgroup ${path}: EBUSY: it passes controllers (${controllers}) on to cgroups below it, ` +
      'and so may hold no processes of its own (cgroup-v2.rst, No Internal Process Constraint)',
    {
      about: '/linux/cgroupsPath',
      hint: 'choose a cgroup below it with /linux/cgroupsPath',
    },
  );
}
