import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { TsrunError } from '../errors.ts';
import { readState, waitForState } from './events.ts';
import { isGone } from './gone.ts';

/** As long as a process may hide in the kernel (uninterruptible) before freezing it is given up. */
const freezeTimeoutMs = 10_000;

/**
 * Stops every process in the cgroup and below it, and waits until they all stand still (cgroup.freeze).
 *
 * @throws TsrunError when one does not in time; then all are let go on. When the cgroup is gone, in runc's words
 */
export function freezeCgroup(path: string): void {
  try {
    writeFileSync(join(path, 'cgroup.freeze'), '1');
  } catch (error) {
    if (isGone(error)) throw new TsrunError('container not running');
    throw error;
  }
  if (waitForState(path, 'frozen', true, freezeTimeoutMs)) return;
  thawCgroup(path);
  throw new TsrunError('cannot pause the container: a process did not stop in time', {
    hint: 'one in state D of ps(1) waits in the kernel, for a disk or a network filesystem',
  });
}

/** Lets them go on; in an absent cgroup there are none. */
export function thawCgroup(path: string): void {
  try {
    writeFileSync(join(path, 'cgroup.freeze'), '0');
  } catch (error) {
    if (!isGone(error)) throw error;
  }
}

/** Whether every process in it stands still; an absent cgroup is not frozen. */
export function isFrozen(path: string): boolean {
  try {
    return readState(path, 'frozen');
  } catch (error) {
    if (isGone(error)) return false;
    throw error;
  }
}
