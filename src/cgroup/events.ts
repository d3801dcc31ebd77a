import { constants, openSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { addon } from '../addon.ts';
import { closeQuietly } from '../close.ts';
import { monotonicMs } from '../host/clock.ts';
import { isGone } from './gone.ts';

/** Keys of cgroup.events: whether a process is in the cgroup or below it, and whether all of them are stopped. */
export type CgroupState = 'populated' | 'frozen';

/** The present value of one flag of cgroup.events. */
export function readState(path: string, key: CgroupState): boolean {
  return hasState(readFileSync(join(path, 'cgroup.events'), 'utf8'), key);
}

/**
 * Waits until a flag of cgroup.events has this value. There is no need to ask repeatedly: the kernel wakes a process
 * that polls the file (cgroup-v2.rst, cgroup.events).
 *
 * @returns false when `timeoutMs` have passed; true at once when the cgroup is gone and so cannot be populated
 */
export function waitForState(path: string, key: CgroupState, value: boolean, timeoutMs: number): boolean {
  let fd: number;
  try {
    fd = openSync(join(path, 'cgroup.events'), constants.O_RDONLY);
  } catch (error) {
    if (isGone(error)) return true;
    throw error;
  }
  try {
    const deadline = monotonicMs() + timeoutMs;
    while (hasState(reread(fd), key) !== value) {
      const left = deadline - monotonicMs();
      if (left <= 0 || !addon().pollPriority([fd], left)) return hasState(reread(fd), key) === value;
    }
    return true;
  } catch (error) {
    // Another delete has removed it meanwhile.
    if (isGone(error)) return true;
    throw error;
  } finally {
    closeQuietly(fd);
  }
}

/** The files by which the kernel reports changes of a cgroup; none if the cgroup has been removed. */
export class EventFiles {
  private readonly fds: readonly number[];

  constructor(path: string) {
    // Without the memory controller there is no memory.events.
    this.fds = ['memory.events', 'cgroup.events'].flatMap((name) => openIfThere(join(path, name)));
  }

  /** Returns when one of them has changed since the last call, or after `timeoutMs`. */
  wait(timeoutMs: number): void {
    addon().pollPriority(this.fds, Math.max(0, timeoutMs));
    for (const fd of this.fds) {
      try {
        reread(fd);
      } catch (error) {
        if (!isGone(error)) throw error;
      }
    }
  }

  close(): void {
    for (const fd of this.fds) closeQuietly(fd);
  }
}

function openIfThere(path: string): number[] {
  try {
    return [openSync(path, constants.O_RDONLY)];
  } catch (error) {
    if (isGone(error)) return [];
    throw error;
  }
}

function hasState(text: string, key: CgroupState): boolean {
  return text.split('\n').includes(`${key} 1`);
}

/** Reads the file from its start; the kernel then counts all changes up to now as seen. */
function reread(fd: number): string {
  const bytes = Buffer.alloc(256);
  return bytes.toString('utf8', 0, readSync(fd, bytes, 0, bytes.length, 0));
}
