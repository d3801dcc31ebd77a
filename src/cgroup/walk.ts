import { constants, openSync, readdirSync } from 'node:fs';
import { closeQuietly } from '../close.ts';
import { isGone } from './gone.ts';

/** A cgroup on the way down, and the cgroups in it still to be visited. */
interface Level {
  readonly name: string;
  readonly rest: string[];
}

/**
 * Calls `visit` for each cgroup below this one, deepest first, the order in which they can be removed. An absent cgroup
 * has none below it.
 *
 * A container that may make cgroups can nest them too deep for a path, and for recursion. So this holds one descriptor
 * at a time, and gives `visit` a short path relative to it.
 */
export function eachCgroupBelow(path: string, visit: (path: string) => void): void {
  let fd = openIfThere(path);
  if (fd === undefined) return;
  const levels: Level[] = [{ name: '', rest: cgroupsIn(fd) }];
  try {
    for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
      const child = level.rest.pop();
      const next = child === undefined ? undefined : openIfThere(below(fd, child));
      if (child !== undefined && next !== undefined) {
        fd = replaced(fd, next);
        levels.push({ name: child, rest: cgroupsIn(fd) });
      } else if (child === undefined) {
        levels.pop();
        if (levels.length === 0) return;
        fd = replaced(fd, openDirectory(below(fd, '..')));
        visit(below(fd, level.name));
      }
    }
  } finally {
    closeQuietly(fd);
  }
}

function below(fd: number, name: string): string {
  return `/proc/self/fd/${fd}/${name}`;
}

function replaced(old: number, fd: number): number {
  closeQuietly(old);
  return fd;
}

function openDirectory(path: string): number {
  return openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
}

function openIfThere(path: string): number | undefined {
  try {
    return openDirectory(path);
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

/** Empty for a cgroup that is being removed. */
function cgroupsIn(fd: number): string[] {
  try {
    return readdirSync(`/proc/self/fd/${fd}`, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
  } catch (error) {
    if (isGone(error)) return [];
    throw error;
  }
}
