import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isGone } from '../cgroup/gone.ts';
import { oomKillInLog } from '../cgroup/oom-log.ts';
import { readKernelLog } from '../host/kernel-log.ts';
import type { ProcessIdentity } from '../host/processes.ts';
import { scopeFailedByOom, type UnitName } from '../systemd/manager.ts';
import { isThere } from '../there.ts';
import type { ContainerRecord } from './record.ts';

/**
 * Whether the kernel has killed a process of the container because memory ran out. The container's cgroup counts that,
 * but systemd removes a scope's cgroup as soon as the last process has ended. Then the kernel's log can tell, and
 * systemd itself if the config asks for memory.oom.group.
 *
 * @returns undefined when nothing counts it here; null when it was counted but can no longer be found out
 */
export function wasOomKilled({ cgroup, unit, init }: ContainerRecord): boolean | null | undefined {
  if (cgroup === null) return undefined;
  const counted = countedKills(cgroup);
  if (counted !== undefined || unit === undefined || init === undefined || isThere(cgroup)) return counted;
  const gone = { cgroup, unit: unit.name, pid: init.pid, started: logTime(init) };
  return oomKillInLog(readKernelLog() ?? [], gone) ?? (failedByOom(unit) || null);
}

function failedByOom(unit: UnitName): boolean {
  try {
    return scopeFailedByOom(unit);
  } catch {
    // Without systemd it cannot be found out either.
    return false;
  }
}

/** memory.events counts the processes killed in the cgroup and below; undefined without a memory controller. */
function countedKills(cgroup: string): boolean | undefined {
  try {
    const count = /^oom_kill (\d+)$/m.exec(readFileSync(join(cgroup, 'memory.events'), 'utf8'))?.[1];
    return count === undefined ? undefined : count !== '0';
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

/** sysconf(_SC_CLK_TCK), the unit of proc_pid_stat(5), is this on every architecture that Node runs on. */
const ticksPerSecond = 100;

/**
 * When init was started, in microseconds of the kernel log's clock. It is computed from init's age, because start times
 * count from boot including suspension, and the log's clock stands still while the machine is suspended.
 */
function logTime({ startTime }: ProcessIdentity): number {
  const uptime = Number(readFileSync('/proc/uptime', 'latin1').split(' ', 1)[0]);
  const age = uptime - startTime / ticksPerSecond;
  return Number(process.hrtime.bigint()) / 1000 - age * 1_000_000;
}
