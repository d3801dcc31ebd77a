import { closeSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { addon } from '../addon.ts';
import { errorCode, rethrowExhausted } from '../errors.ts';

/** How often to look for what was forked just before the cgroup stood still. */
const maxRounds = 100;

/** The pids, in this pid namespace, of all processes in the cgroup and below it; none when it is gone. */
export function cgroupPids(path: string): number[] {
  return [path, ...cgroupsBelow(path)].flatMap(pidsOf);
}

/** Kills every process in the cgroup and below (cgroup.kill, Linux 5.14), forks included; an absent one is no error. */
export function killCgroup(path: string): void {
  try {
    writeFileSync(join(path, 'cgroup.kill'), '1');
  } catch (error) {
    const code = errorCode(error);
    // A container that may write to its cgroup has made it threaded.
    if (code === 'EOPNOTSUPP') killThreaded(path);
    else if (code !== 'ENOENT') throw error;
  }
}

/** One by one, while the cgroup stands still, so that none forks; a frozen process can be killed. */
function killThreaded(path: string): void {
  writeFileSync(join(path, 'cgroup.freeze'), '1');
  for (let round = 0; round < maxRounds; round++) {
    const pids = cgroupPids(path);
    if (pids.length === 0) return;
    signalEach(pids, constants.signals.SIGKILL);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
  }
}

/** Signals processes, of which some may end meanwhile. */
export function signalEach(pids: readonly number[], signal: number): void {
  for (const pid of pids) {
    try {
      const pidfd = addon().pidfdOpen(pid);
      addon().pidfdSignal(pidfd, signal);
      closeSync(pidfd);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}

/** All cgroups below this one, the deepest first, which is the order in which they can be removed. */
export function cgroupsBelow(path: string): string[] {
  try {
    return readdirSync(path, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .flatMap(({ name }) => [...cgroupsBelow(join(path, name)), join(path, name)]);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

function pidsOf(path: string): number[] {
  try {
    return numbersIn(join(path, 'cgroup.procs'));
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ENOENT' || code === 'ENODEV') return [];
    if (code === 'EOPNOTSUPP') return processesOf(threadsOf(path));
    throw error;
  }
}

/** A threaded cgroup tells its threads only; their processes are those of the domain above it. */
function threadsOf(path: string): number[] {
  try {
    return numbersIn(join(path, 'cgroup.threads'));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENODEV') return [];
    throw error;
  }
}

function processesOf(threads: readonly number[]): number[] {
  const pids = threads.map((thread) => {
    try {
      return Number(/^Tgid:\t(\d+)$/m.exec(readFileSync(`/proc/${thread}/status`, 'latin1'))?.[1] ?? thread);
    } catch (error) {
      rethrowExhausted(error);
      return thread;
    }
  });
  return [...new Set(pids)];
}

function numbersIn(path: string): number[] {
  return readFileSync(path, 'utf8').split('\n').filter(Boolean).map(Number);
}
