import { statSync } from 'node:fs';
import { cgroupPids } from '../../../cgroup/processes.ts';
import { namesIn, textOf } from '../../../there.ts';
import type { Obstacle } from './obstacle.ts';

/**
 * Of these namespaces CRIU saves only init's; a process may have its own network and mount namespaces (its
 * CLONE_SUBNS).
 */
const single = ['ipc', 'pid', 'time', 'user', 'uts'] as const;

export interface Process {
  readonly pid: number;
  readonly name: string;
  /** Pid of the tracer; 0: not traced. */
  readonly tracer: number;
  /** As the process itself sees it; 0: a session outside its pid namespace. */
  readonly session: number;
}

/**
 * The container's init and all its descendants, which is what CRIU saves. Processes that end meanwhile are left out.
 */
export function processTree(init: number): Process[] {
  const found = new Map<number, Process>();
  const left = [init];
  for (let pid = left.shift(); pid !== undefined; pid = left.shift()) {
    const process = found.has(pid) ? undefined : processOf(pid);
    if (process === undefined) continue;
    found.set(pid, process);
    left.push(...childrenOf(pid));
  }
  return [...found.values()];
}

function processOf(pid: number): Process | undefined {
  const text = textOf(`/proc/${pid}/status`);
  if (text === '') return undefined;
  const field = (name: string) => new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(text)?.[1] ?? '';
  const session = Number(field('NSsid').split('\t').at(-1));
  return { pid, name: field('Name'), tracer: Number(field('TracerPid')), session };
}

/** Asks for each thread, as each has its own children. */
function childrenOf(pid: number): number[] {
  const threads = namesIn(`/proc/${pid}/task`);
  const lists = threads.map((thread) => textOf(`/proc/${pid}/task/${thread}/children`));
  return lists.join(' ').split(/\s+/).filter(Boolean).map(Number);
}

/** How an obstacle names a process. */
export function called({ name, pid }: Process): string {
  return `process ${pid} (${name})`;
}

/** Obstacles in the processes themselves. */
export function processObstacles(
  tree: readonly Process[],
  cgroup: string | null,
  { shellJob }: { shellJob: boolean },
): Obstacle[] {
  const [init] = tree;
  if (init === undefined) return [];
  return [
    ...unsaved(tree, cgroup),
    ...tree.filter(({ tracer }) => tracer !== 0).map(traced),
    ...tree.flatMap((process) => nested(process, init)),
    ...(init.session === 0 && !shellJob ? [outerSession(init)] : []),
  ];
}

/** Finds processes that exec has started: they are no children of init. */
function unsaved(tree: readonly Process[], cgroup: string | null): Obstacle[] {
  if (cgroup === null) return [];
  const saved = new Set(tree.map(({ pid }) => pid));
  const others = cgroupPids(cgroup).filter((pid) => !saved.has(pid));
  return others.flatMap((pid) => {
    const process = processOf(pid);
    if (process === undefined) return [];
    return {
      rule: 'exec-process',
      message: `${called(process)} is not init's child: exec has started it, and it is not saved`,
      hint: 'wait for its end, or have the container’s program start it',
      pid,
    };
  });
}

function traced(process: Process): Obstacle {
  return {
    rule: 'traced',
    message: `${called(process)} is traced by process ${process.tracer}: CRIU has to trace it itself`,
    hint: 'detach the debugger, or end strace',
    pid: process.pid,
  };
}

function nested(process: Process, init: Process): Obstacle[] {
  const id = (pid: number, name: string) => statSync(`/proc/${pid}/ns/${name}`, { throwIfNoEntry: false })?.ino;
  return single.flatMap((name) => {
    const [own, its] = [id(process.pid, name), id(init.pid, name)];
    if (own === undefined || its === undefined || own === its) return [];
    const message = `${called(process)} has ${/^[aeiou]/.test(name) ? 'an' : 'a'} ${name} namespace of its own: CRIU saves init's only`;
    return { rule: 'nested-namespace', message, hint: 'end it first', pid: process.pid };
  });
}

function outerSession(init: Process): Obstacle {
  return {
    rule: 'session',
    message: `${called(init)} belongs to a session outside of its pid namespace`,
    hint: '--shell-job',
    pid: init.pid,
  };
}
