import type { Op } from '../../generated/ops.ts';
import type { Context } from '../context.ts';

/**
 * Enters the working directory and sets HOME, while root can still read and write the rootfs. A process that joins
 * makes no directory: its caller must hear of a misspelt one.
 */
export function lowerProgram({ spec, options }: Context, { joining = false } = {}): Op[] {
  const process = spec.process;
  if (process === undefined) return [];
  const ops: Op[] = [{ op: 'enter-cwd', by: 'init', from: '/process/cwd', path: process.cwd, make: !joining }];
  if (!processEnv({ spec, options }).some((entry) => entry.startsWith('HOME='))) {
    ops.push({ op: 'default-home', by: 'init', from: 'default', uid: process.user?.uid ?? 0 });
  }
  return ops;
}

/** Where execvp(3) searches without a PATH. */
export const defaultPath = '/bin:/usr/bin';

/** Finds args[0] by execvp(3)'s rules, and executes it (config.md, Process, args and env). */
export function lowerExec({ spec, options }: Context): { find: Op[]; prepare: Op[]; exec: Op[] } {
  const process = spec.process;
  const name = process?.args?.[0];
  if (process === undefined || name === undefined) return { find: [], prepare: [], exec: [] };
  const env = processEnv({ spec, options });
  const path = env.findLast((entry) => entry.startsWith('PATH='))?.slice(5) ?? defaultPath;
  const args = process.args ?? [];
  const preserveFds = options.preserveFds ?? 0;
  return {
    find: [{ op: 'find-program', by: 'init', from: '/process/args/0', name, path }],
    prepare: [{ op: 'prepare-exec', by: 'init', from: '/process/args', args, env, preserveFds }],
    exec: [{ op: 'exec', by: 'init', from: '/process/args/0', name }],
  };
}

/** process.env and what the runtime adds. An empty HOME counts as none, and default-home then sets it. */
export function processEnv({ spec, options }: Pick<Context, 'spec' | 'options'>): string[] {
  return lastOfEach([...(spec.process?.env ?? []), ...(options.env ?? [])]).filter((entry) => entry !== 'HOME=');
}

/** Of two entries with the same name, keeps the later one; getenv(3) would find the earlier. */
function lastOfEach(env: readonly string[]): string[] {
  const byName = new Map<string, string>();
  for (const entry of env) byName.set(entry.split('=', 1)[0] ?? entry, entry);
  return [...byName.values()];
}
