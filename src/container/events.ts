import { noCgroupHint } from '../cgroup/cgroupfs.ts';
import { EventFiles, readState } from '../cgroup/events.ts';
import { CgroupFiles } from '../cgroup/files.ts';
import { isGone } from '../cgroup/gone.ts';
import { type CgroupStats, readStats } from '../cgroup/stats.ts';
import { TsrunError } from '../errors.ts';
import { monotonicMs } from '../host/clock.ts';
import { type NetworkInterface, networkInterfaces } from '../host/network.ts';
import { wasOomKilled } from './oom.ts';
import type { ContainerRecord } from './record.ts';
import { statusOf } from './state.ts';
import type { ContainerDirectory } from './store.ts';

/** A line of `events`, with runc's names. */
export interface StatsEvent {
  type: 'stats';
  id: string;
  data: CgroupStats & { intel_rdt: Record<string, never>; network_interfaces: NetworkInterface[] };
}
export type ContainerEvent = StatsEvent | { type: 'oom'; id: string };

/** A container whose cgroup can be read. */
export interface Observed {
  readonly id: string;
  readonly cgroup: string;
  /** Pid of its init process. */
  readonly pid: number;
  readonly record: ContainerRecord;
}

/** @throws TsrunError for a container that is not running, or has no cgroup to read */
export function observe(directory: ContainerDirectory): Observed {
  const record = directory.read();
  const status = statusOf(directory, record);
  if (status === 'stopped' || status === 'creating' || record.init === undefined) {
    throw new TsrunError('container not running', { code: 'EWRONGSTATE', hint: `it is ${status}` });
  }
  if (record.cgroup === null) {
    throw new TsrunError('the container has no cgroup of its own, and so no statistics', { hint: noCgroupHint() });
  }
  return { id: record.id, cgroup: record.cgroup, pid: record.init.pid, record };
}

/** What the container uses now. */
export function statsEvent({ id, cgroup, pid }: Observed): StatsEvent {
  const data = { ...readStats(cgroup), intel_rdt: {}, network_interfaces: networkInterfaces(pid) };
  return { type: 'stats', id, data };
}

/**
 * Emits statistics at an interval, and each out-of-memory kill as it happens: the kernel wakes whoever polls
 * memory.events and cgroup.events (cgroup-v2.rst). Returns when the container's last process has gone.
 *
 * @param intervalMs time between statistics; the first come at once
 */
export function followEvents(container: Observed, intervalMs: number, emit: (event: ContainerEvent) => void): void {
  const { id, cgroup } = container;
  const files = new EventFiles(cgroup);
  let kills = oomKills(cgroup);
  try {
    for (let next = monotonicMs(); ; files.wait(next - monotonicMs())) {
      const before = kills;
      kills = oomKills(cgroup);
      if (kills > before) emit({ type: 'oom', id });
      if (!isPopulated(cgroup)) {
        // systemd removes a scope and its counts as soon as init has been killed.
        if (Math.max(before, kills) === 0 && wasOomKilled(container.record)) emit({ type: 'oom', id });
        return;
      }
      if (monotonicMs() < next) continue;
      emit(statsEvent(container));
      next = monotonicMs() + intervalMs;
    }
  } finally {
    files.close();
  }
}

/** How many processes the kernel has killed in this cgroup or below because memory ran out. */
export function oomKills(cgroup: string): number {
  return Number(new CgroupFiles(cgroup).keyed('memory.events')?.oom_kill ?? 0);
}

export function isPopulated(cgroup: string): boolean {
  try {
    return readState(cgroup, 'populated');
  } catch (error) {
    // The cgroup is gone: another command has deleted the container.
    if (isGone(error)) return false;
    throw error;
  }
}
