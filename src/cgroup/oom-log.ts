import type { KernelMessage } from '../host/kernel-log.ts';

/** A container whose cgroup is gone. */
export interface GoneContainer {
  /** Absolute path of the former directory. */
  readonly cgroup: string;
  /** Name of the scope, the last part of that path. */
  readonly unit: string;
  /** Pid of init; processes that came after it have a greater one. */
  readonly pid: number;
  /** When init was started, in microseconds of the kernel log's clock. */
  readonly started: number;
}

/**
 * How far that time may be off, in microseconds, because nothing adjusts the log's clock: months at 50 ppm. Within that
 * time the pids tell the containers apart.
 */
const slack = 600_000_000;

/**
 * Whether the kernel's log reports an out-of-memory kill in a cgroup or below it. The kernel names cgroup and victim
 * before it kills (mm/oom_kill.c, dump_oom_victim), but in a burst of kills only for the first few.
 *
 * @returns null when this cannot be found out: the log does not reach back, or has kills in unknown cgroups
 */
export function oomKillInLog(messages: readonly KernelMessage[], container: GoneContainer): boolean | null {
  const { pid, started } = container;
  const explained = new Set<number>();
  let unexplained = false;
  for (const { time, text } of messages.filter(({ time }) => time >= started - slack)) {
    const named = /^oom-kill:.*?,task_memcg=(.*?),task=.*,pid=(\d+),uid=\d+$/.exec(text);
    if (named !== null) {
      // A smaller pid belongs to an earlier container with this name.
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

/** The kernel's paths start at the root of the hierarchy, wherever that is mounted. */
function isIn(path: string, { cgroup, unit }: GoneContainer): boolean {
  const at = `${path}/`.indexOf(`/${unit}/`);
  return at >= 0 && cgroup.endsWith(path.slice(0, at + 1 + unit.length));
}
