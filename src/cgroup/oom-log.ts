import type { KernelMessage } from '../host/kernel-log.ts';

/** A container whose cgroup is gone. */
export interface GoneContainer {
  /** Absolute path that the directory had. */
  readonly cgroup: string;
  /** Name of the scope, which is the last part of that path. */
  readonly unit: string;
  /** Of init; what came after it has a greater one. */
  readonly pid: number;
  /** When init was started, in the time of the kernel's log: microseconds. */
  readonly started: number;
}

/** How far that time may be off: no clock disciplines the log's. Weeks of 50 ppm; pids tell who is who in it. */
const slack = 600_000_000;

/**
 * Whether the kernel's log tells of an out-of-memory kill in a cgroup or below it: the kernel names cgroup and victim
 * before it kills (mm/oom_kill.c, dump_oom_victim), but of a burst of kills only the first few.
 *
 * @returns null when that cannot be told: the log does not reach back, or has kills of unknown cgroups
 */
export function oomKillInLog(messages: readonly KernelMessage[], container: GoneContainer): boolean | null {
  const { pid, started } = container;
  const explained = new Set<number>();
  let unexplained = false;
  for (const { time, text } of messages.filter(({ time }) => time >= started - slack)) {
    const named = /^oom-kill:.*?,task_memcg=(.*?),task=.*,pid=(\d+),uid=\d+$/.exec(text);
    if (named !== null) {
      // A smaller pid is of an earlier container with this name.
      if (Number(named[2]) >= pid && isIn(named[1] ?? '', container)) return true;
      explained.add(Number(named[2]));
    }
    const killed = /^(?:Memory cgroup out|Out) of memory: Killed process (\d+) /.exec(text);
    if (killed === null) continue;
    const victim = Number(killed[1]);
    if (victim === pid) return true;
    unexplained ||= time >= started && victim > pid && !explained.has(victim);
  }
  const reachesBack = (messages[0]?.time ?? Number.POSITIVE_INFINITY) <= started;
  return unexplained || !reachesBack ? null : false;
}

/** The kernel's paths count from the root of the hierarchy, wherever that is mounted. */
function isIn(path: string, { cgroup, unit }: GoneContainer): boolean {
  const at = `${path}/`.indexOf(`/${unit}/`);
  return at >= 0 && cgroup.endsWith(path.slice(0, at + 1 + unit.length));
}
