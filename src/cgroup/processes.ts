import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The pids, in this pid namespace, of all processes in the cgroup and below it; none when it is gone. */
export function cgroupPids(path: string): number[] {
  return [path, ...cgroupsBelow(path)].flatMap(pidsOf);
}

/** Kills every process in the cgroup and below (cgroup.kill, Linux 5.14), forks included; an absent one is no error. */
export function killCgroup(path: string): void {
  try {
    writeFileSync(join(path, 'cgroup.kill'), '1');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
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
    return readFileSync(join(path, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean).map(Number);
  } catch (error) {
    // A threaded cgroup cannot tell: its processes stand in the domain above it.
    if (['ENOENT', 'ENODEV', 'EOPNOTSUPP'].includes((error as NodeJS.ErrnoException).code ?? '')) return [];
    throw error;
  }
}
