/** Commands that stop between two of their steps, so that something else can happen there. */
import { existsSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Result, type Running, waitFor } from './process.ts';
import { runtimePath } from './runtime.ts';
import type { Sandbox } from './sandbox.ts';

export interface Moment {
  /** System calls as strace(1) names them; those that a regular expression matches are counted separately. */
  call: string;
  /** The path that the call is about. */
  path?: string | undefined;
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
export async function stopAfter(box: Sandbox, moment: Moment, args: string[]): Promise<() => Promise<Result>> {
  const log = join(box.directory, `strace-${args[0]}`);
  // Only its first thread, and no pipes: the container that it starts stays, and would keep strace and the pipes open.
  const command = ['-o', log, runtimePath, '--root', box.root, ...args];
  const traced = box.startProgram('strace', [...sending('STOP', moment), ...command], { outputFiles: log });
  const { call, path } = moment;
  await waitFor(`${args[0]} to stand still after ${call} of ${path}`, () => (hasStopped(log) ? true : undefined));
  return () => {
    process.kill(childOf(traced.pid), 'SIGCONT');
    return traced.done;
  };
}

/**
 * Has a running process killed, whichever of its threads it is that gets to a system call: right before that.
 *
 * @returns a function that waits for this
 */
export async function killBefore(box: Sandbox, pid: number, moment: Moment): Promise<() => Promise<void>> {
  const log = join(box.directory, `strace-${pid}`);
  const attach = ['-f', '-o', log, '-p', String(pid)];
  const traced = box.startProgram('strace', [...sending('KILL', moment), ...attach]);
  await untilTraced(traced, pid);
  return async () => {
    await waitFor(`${pid} to end`, () => !existsSync(`/proc/${pid}`) || undefined);
    // It also follows what the process has started, which may live on.
    traced.child.kill();
    await traced.done;
    if (!/\(INJECTED\)|killed by SIGKILL/.test(readFileSync(log, 'utf8')))
      throw new Error(`${moment.call}: never called`);
  };
}

/**
 * Watches which of these system calls a running process makes, its threads, and what it starts from now on.
 *
 * @param calls with commas between them
 * @returns a function that ends this, and returns what strace has written
 */
export async function watchCalls(box: Sandbox, pid: number, calls: string): Promise<() => Promise<string>> {
  const log = join(box.directory, `calls-${pid}-${calls}`);
  const traced = box.startProgram('strace', ['-e', `trace=${calls}`, '-f', '-o', log, '-p', String(pid)]);
  await untilTraced(traced, pid);
  return async () => {
    traced.child.kill();
    await traced.done;
    return readFileSync(log, 'utf8');
  };
}

async function untilTraced(traced: Running, pid: number): Promise<void> {
  await waitFor(`strace to have ${pid}`, () => {
    if (traced.child.exitCode !== null) throw new Error(traced.output.stderr);
    return isTraced(pid) || undefined;
  });
}

/** Whether all of its threads are. */
function isTraced(pid: number): boolean {
  const threads = readdirSync(`/proc/${pid}/task`);
  return threads.every((each) => /^TracerPid:\t[1-9]/m.test(readFileSync(`/proc/${pid}/task/${each}/status`, 'utf8')));
}

/** strace's flags. */
function sending(signal: string, { call, path, nth = 1 }: Moment): string[] {
  const about = path === undefined ? [] : ['-P', path];
  return ['-e', `trace=${call}`, ...about, '-e', `inject=${call}:signal=${signal}:when=${nth}`];
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
