import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorCode } from '../errors.ts';
import { isGone } from './gone.ts';
import { eachCgroupBelow } from './walk.ts';

/** The pids, in this pid namespace, of all processes in the cgroup and below it; empty when it is gone. */
export function cgroupPids(path: string): number[] {
  const pids = ownPids(path);
  eachCgroupBelow(path, (below) => pids.push(...ownPids(below)));
  return pids;
}

/**
 * Kills every process in the cgroup and below (cgroup.kill, Linux 5.14), even one just forked; an absent cgroup is no
 * error.
 */
export function killCgroup(path: string): void {
  try {
    writeFileSync(join(path, 'cgroup.kill'), '1');
  } catch (error) {
    // A threaded cgroup has no cgroup.kill, and only an empty cgroup can become one (cgroup-v2.rst, Threads).
    if (!isGone(error) && errorCode(error) !== 'EOPNOTSUPP') throw error;
  }
}

/** The pids of the cgroup itself, without those below it. */
export function ownPids(path: string): number[] {
  try {
    return readFileSync(join(path, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean).map(Number);
  } catch (error) {
    // A threaded cgroup does not list its processes: the domain above it does.
    if (isGone(error) || errorCode(error) === 'EOPNOTSUPP') return [];
    throw error;
  }
}
