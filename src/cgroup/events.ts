import { constants, openSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { addon } from '../addon.ts';
import { closeQuietly } from '../close.ts';
import { monotonicMs } from '../host/clock.ts';
import { isGone } from './gone.ts';

/** Keys of cgroup.events: whether a process is in the cgroup or below it, and whether all of them stand still. */
export type CgroupState = 'populated' | 'frozen';

/** One flag of cgroup.events, as it is now. */
export function readState(path: string, key: CgroupState): boolean {
  return hasState(readFileSync(join(path, 'cgroup.events'), 'utf8'), key);
}

/**
 * Waits until a flag of cgroup.events has this value: the kernel wakes whoever polls the file (cgroup-v2.rst,
 * cgroup.events), so nothing is asked twice.
 *
 * @returns false when `timeoutMs` have passed; true at once when the cgroup is gone and cannot be populated
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
    // Removed meanwhile, by another delete.
    if (isGone(error)) return true;
    throw error;
  } finally {
    closeQuietly(fd);
  }
}

/** The files of a cgroup by which the kernel tells of changes; none where it has been removed. */
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

/** The file from its start; the kernel counts a read as having seen all changes up to it. */
function reread(fd: number): string {
  const bytes = Buffer.alloc(256);
  return bytes.toString('utf8', 0, readSync(fd, bytes, 0, bytes.length, 0));
}
