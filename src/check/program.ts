import { join, posix } from 'node:path';
import type { Problem } from '../config/validate/finding.ts';
import { defaultPath } from '../lower/process/exec.ts';
import type { CheckContext } from './context.ts';
import { obstacleTo, type State, stateOf } from './executable.ts';

const pointer = '/process/args/0';

/**
 * Whether args[0] is in the root filesystem, and the kernel can execute it. Only checks programs that no mount can
 * provide: what a mount hides or shows is known when the container is made.
 */
export function programProblems(context: CheckContext): Problem[] {
  const { spec, rootfs, probe } = context;
  const name = spec.process?.args?.[0];
  if (name === undefined || spec.process === undefined || probe.kindOf(rootfs) !== 'directory') return [];
  const { cwd, env = [] } = spec.process;
  const path = env.findLast((entry) => entry.startsWith('PATH='))?.slice(5) ?? defaultPath;
  const candidates = name.includes('/')
    ? [posix.resolve(cwd, name)]
    : pathEntries(path, cwd).map((at) => join(at, name));
  const states = candidates.map((candidate) => stateOf(context, candidate));
  // As in execvp(3), the first that can be executed counts.
  const found = states.findIndex((state) => state === 'program' || state === 'unknown');
  if (found === -1) return [problemOf(name, candidates, states, path, rootfs)];
  const obstacle = states[found] === 'program' ? obstacleTo(context, candidates[found] ?? '') : undefined;
  return obstacle === undefined ? [] : [{ pointer, ...obstacle }];
}

/** An empty entry means the working directory (exec(3)). */
function pathEntries(path: string, cwd: string): string[] {
  return path.split(':').map((entry) => posix.resolve(cwd, entry));
}

function problemOf(name: string, candidates: string[], states: State[], path: string, rootfs: string): Problem {
  const quoted = JSON.stringify(name);
  const where = `in the root filesystem ${rootfs}`;
  const at = states.findIndex((state) => state !== 'absent');
  if (at !== -1) {
    const message = `${candidates[at]} is ${states[at] === 'directory' ? 'a directory' : 'not an executable file'} ${where}`;
    return { pointer, message, hint: states[at] === 'directory' ? 'name a program in it' : 'chmod +x makes it one' };
  }
  if (!name.includes('/')) {
    return { pointer, message: `${quoted} is not in any directory of PATH=${path} ${where}`, hint: pathHint(name) };
  }
  const hint = 'paths start at the container’s root filesystem, not at the host’s';
  return { pointer, message: `there is no ${candidates[0]} ${where}`, hint };
}

/** The usual mistake is a whole command line in one string. */
function pathHint(name: string): string {
  return /\s/.test(name)
    ? 'program and arguments are items of their own: ["sh", "-c", "…"]'
    : 'paths start at the container’s root filesystem, not at the host’s';
}
