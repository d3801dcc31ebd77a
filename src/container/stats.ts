import { TsrunError } from '../errors.ts';
import { type Observed, observe, statsEvent } from './events.ts';
import { recordedIds } from './list.ts';
import type { Sample } from './stats-table.ts';
import { ContainerDirectory } from './store.ts';

/** Containers below root that can be observed: all of those named, each of which must exist, or else all that run. */
export function observeAll(root: string, ids: readonly string[]): Observed[] {
  if (ids.length > 0) return ids.map((id) => observe(new ContainerDirectory(root, id)));
  return recordedIds(root).listed.flatMap((id) => {
    try {
      return [observe(new ContainerDirectory(root, id))];
    } catch (error) {
      // It is stopped, has no cgroup, or was deleted since the directory was read.
      if (error instanceof TsrunError) return [];
      throw error;
    }
  });
}

/** Statistics of each, in the given order; a container that has just ended is left out. */
export function sampleAll(containers: readonly Observed[]): Sample[] {
  return containers
    .map((container) => ({ event: statsEvent(container), at: process.hrtime.bigint() }))
    .filter(({ event }) => event.data.cpu !== undefined);
}
