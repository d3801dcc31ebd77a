import { existsSync, mkdirSync, openSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { TsrunError } from '../errors.ts';

/**
 * Makes the directory; the ones above it too. Returns those it made, the deepest first, for the undo.
 *
 * @throws TsrunError when processes are in it already
 */
export function createCgroup(path: string): string[] {
  const made: string[] = [];
  for (let at = path; !existsSync(at); at = dirname(at)) made.push(at);
  try {
    mkdirSync(path, { recursive: true, mode: 0o755 });
  } catch (error) {
    throw new TsrunError(`cannot make the cgroup ${path}: ${(error as NodeJS.ErrnoException).code}`, {
      hint: 'choose a place you may write to with linux.cgroupsPath',
    });
  }
  if (made[0] === path) return made;
  const events = readFileSync(join(path, 'cgroup.events'), 'utf8');
  if (/^populated 1$/m.test(events)) throw new TsrunError(`container's cgroup is not empty: ${path}`);
  if (/^frozen 1$/m.test(events)) throw new TsrunError(`container's cgroup is unexpectedly frozen: ${path}`);
  return made;
}

/** A descriptor for CLONE_INTO_CGROUP. */
export function openCgroup(path: string): number {
  return openSync(path, 'r');
}

/** Kills every process in the cgroup and below (cgroup.kill, Linux 5.14); an absent cgroup is no error. */
export function killCgroup(path: string): void {
  try {
    writeFileSync(join(path, 'cgroup.kill'), '1');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

/** Removes the cgroup and those that the container made below it; an absent one is no error. */
export function removeCgroup(path: string): void {
  let children: string[];
  try {
    children = readdirSync(path, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  for (const child of children) removeCgroup(join(path, child));
  removeEmptied(path);
}

/** A killed process leaves its cgroup a moment after it can be reaped: EBUSY until then. */
function removeEmptied(path: string): void {
  const deadline = Date.now() + 5000;
  for (;;) {
    try {
      rmdirSync(path);
      return;
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      if (code === 'ENOENT') return;
      if (code !== 'EBUSY' || Date.now() > deadline) {
        throw new TsrunError(`cannot remove the cgroup ${path}: ${code}`, { hint: 'is a process still in it?' });
      }
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}
