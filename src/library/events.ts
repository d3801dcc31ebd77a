/** What happens to a container, as `tsrun events` reports it. */
import { closeSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import type { StatsEvent } from '../container/events.ts';
import { errorCode } from '../errors.ts';
import { checkOptions, may, orTsrunError } from './arguments.ts';
import { type Abortable, abortable, longestTimer, milliseconds } from './options.ts';
import type { Place } from './places.ts';
import { runJob } from './pool.ts';
import { holdProcess, watchOnce } from './watch.ts';
import { abortError } from './wire.ts';

export interface EventsOptions extends Abortable {
  /** Milliseconds between statistics; the first come at once (default: 5000). */
  readonly interval?: number | undefined;
}

/** `oom`: the kernel has killed a process of the container because memory ran out. */
export type ContainerEvent = StatsEvent | { readonly type: 'oom'; readonly id: string };

/**
 * Yields statistics at an interval, and each out-of-memory kill as it happens; ends with the container's last process.
 */
export async function* follow(place: Place, options: EventsOptions): AsyncGenerator<ContainerEvent, void, void> {
  const { signal, interval: given = 5000 } = checkOptions(options, { interval: may.number, ...abortable });
  const interval = milliseconds('interval', given);
  const { id } = place;
  const cgroup = await runJob('observed', place, signal);
  const files = ['memory.events', 'cgroup.events'].flatMap((name) => openIfThere(join(cgroup, name)));
  const release = holdProcess();
  let kills = 0;
  try {
    for (let next = Date.now(), isFirst = true; ; await change(files, next - Date.now(), signal)) {
      const isDue = Date.now() >= next;
      const before = kills;
      const seen = await runJob('look', { ...place, cgroup, stats: isDue }, signal);
      kills = seen.kills;
      if (!isFirst && kills > before) yield { type: 'oom', id };
      isFirst = false;
      if (seen.ended !== undefined) {
        // systemd removes a scope and its counts as soon as init has been killed.
        if (Math.max(before, kills) === 0 && seen.ended.oomKilled) yield { type: 'oom', id };
        return;
      }
      if (seen.stats === undefined) continue;
      yield { type: 'stats', id, data: seen.stats };
      next = Date.now() + interval;
    }
  } finally {
    release();
    for (const fd of files) closeSync(fd);
  }
}

/** Without the memory controller there is no memory.events; after the container's end there is neither file. */
function openIfThere(path: string): number[] {
  try {
    return [openSync(path, 'r')];
  } catch (error) {
    if (['ENOENT', 'ENODEV'].includes(errorCode(error))) return [];
    throw orTsrunError(error);
  }
}

/** Waits until a file has changed since it was read, or `timeoutMs` have passed. */
function change(files: readonly number[], timeoutMs: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    // Aborted while the caller had the last event.
    if (signal?.aborted) return reject(abortError(signal));
    const stops = files.map((fd) => watchOnce(fd, done, true));
    const timer = setTimeout(done, Math.min(Math.max(0, timeoutMs), longestTimer));
    signal?.addEventListener('abort', done, { once: true });
    function done() {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      for (const stop of stops) stop();
      for (const fd of files) reread(fd);
      if (signal?.aborted) reject(abortError(signal));
      else resolve();
    }
  });
}

/** Reads the file; the kernel then counts all changes up to now as seen. */
function reread(fd: number): void {
  try {
    readSync(fd, Buffer.alloc(256), 0, 256, 0);
  } catch {
    // The cgroup has been removed.
  }
}
