/** Commands that stop between two of their steps, so that something else can happen there. */
import { existsSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Result, waitFor } from './process.ts';
import { runtimePath } from './runtime.ts';
import type { Sandbox } from './sandbox.ts';

export interface Moment {
  /** System calls as strace(1) names them; those that a regular expression matches are counted separately. */
  call: string;
  /** The path that the call is about. */
  path: string;
  /** Which of these calls, counted from 1. */
  nth?: number;
}

/** The calls with which the engines look whether a file exists. */
export const lookUps = '/^(newfstatat|statx|access)$';

/**
 * Starts the runtime, and waits until it stops right after a system call, where strace sends it a SIGSTOP.
 *
 * @returns a function that continues it, and returns how it ends
 */
export async function stopAfter(
  box: Sandbox,
  { call, path, nth = 1 }: Moment,
  args: string[],
): Promise<() => Promise<Result>> {
  const log = join(box.directory, `strace-${args[0]}`);
  const inject = ['-e', `trace=${call}`, '-P', path, '-e', `inject=${call}:signal=STOP:when=${nth}`];
  // Only its first thread, and no pipes: the container that it starts stays, and would keep strace and the pipes open.
  const traced = box.startProgram('strace', [...inject, '-o', log, runtimePath, '--root', box.root, ...args], {
    outputFiles: log,
  });
  await waitFor(`${args[0]} to stand still after ${call} of ${path}`, () => (hasStopped(log) ? true : undefined));
  return () => {
    process.kill(childOf(traced.pid), 'SIGCONT');
    return traced.done;
  };
}

function hasStopped(log: string): boolean {
  return existsSync(log) && readFileSync(log, 'utf8').includes('--- stopped by SIGSTOP');
}

function childOf(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8'));
}

/** Does what systemd does with the scope of a container that ends. */
export async function takeAwayCgroup(path: string): Promise<void> {
  writeFileSync(join(path, 'cgroup.kill'), '1');
  await waitFor(`${path} to be empty`, () => (isRemoved(path) ? true : undefined));
}

/** False while a process in it is still ending. */
function isRemoved(cgroup: string): boolean {
  try {
    rmdirSync(cgroup);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EBUSY') return false;
    throw error;
  }
}
