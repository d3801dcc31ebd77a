import type { Op } from '../../generated/ops.ts';
import type { Context } from '../context.ts';

/**
 * Enters the working directory and sets HOME, while root can still read and write the rootfs. A process that joins
 * makes no directory: its caller must hear of a misspelt one.
 */
export function lowerProgram(context: Context, { joining = false } = {}): Op[] {
  const process = context.spec.process;
  if (process === undefined) return [];
  const ops: Op[] = [{ op: 'enter-cwd', by: 'init', from: '/process/cwd', path: process.cwd, make: !joining }];
  if (!variable(context, 'HOME')) {
    ops.push({ op: 'default-home', by: 'init', from: 'default', uid: process.user?.uid ?? 0 });
  }
  return ops;
}

/** Where execvp(3) searches without a PATH. */
export const defaultPath = '/bin:/usr/bin';

/** Finds args[0] by execvp(3)'s rules, and executes it (config.md, Process, args and env). */
export function lowerExec(context: Context): { find: Op[]; prepare: Op[]; exec: Op[] } {
  const { spec, options } = context;
  const process = spec.process;
  const name = process?.args?.[0];
  if (process === undefined || name === undefined) return { find: [], prepare: [], exec: [] };
  const env = processEnv(context);
  const path = variable(context, 'PATH') ?? defaultPath;
  const args = process.args ?? [];
  const preserveFds = options.preserveFds ?? 0;
  return {
    find: [{ op: 'find-program', by: 'init', from: '/process/args/0', name, path }],
    prepare: [{ op: 'prepare-exec', by: 'init', from: '/process/args', args, env, preserveFds }],
    exec: [{ op: 'exec', by: 'init', from: '/process/args/0', name }],
  };
}

/** process.env and what the runtime adds. An empty HOME counts as none, and default-home then sets it. */
export function processEnv(context: Context): readonly string[] {
  return environmentOf(context).entries;
}

/** The variable's value; an empty HOME counts as none. */
function variable(context: Context, name: string): string | undefined {
  const entry = environmentOf(context).byName.get(name);
  return entry?.startsWith(`${name}=`) === true ? entry.slice(name.length + 1) : undefined;
}

interface Environment {
  readonly entries: readonly string[];
  readonly byName: ReadonlyMap<string, string>;
}

/** Cached, because several sections of the plan ask for it. */
const known = new WeakMap<Context, Environment>();

function environmentOf(context: Context): Environment {
  const environment = known.get(context) ?? makeEnvironment(context);
  known.set(context, environment);
  return environment;
}

/** Of two entries with the same name, keeps the later one; getenv(3) would find the earlier. */
function makeEnvironment({ spec, options }: Context): Environment {
  const all = [...(spec.process?.env ?? []), ...(options.env ?? [])];
  const byName = new Map<string, string>();
  for (const entry of all) {
    const end = entry.indexOf('=');
    byName.set(end < 0 ? entry : entry.slice(0, end), entry);
  }
  if (byName.get('HOME') === 'HOME=') byName.delete('HOME');
  return { entries: byName.size === all.length ? all : [...byName.values()], byName };
}
