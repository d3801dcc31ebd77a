import type { Op } from '../generated/ops.ts';
import type { Hook, Hooks } from '../generated/spec.ts';
import { ownEnv } from '../linux/hook-env.ts';
import type { Context } from './context.ts';
import { processEnv } from './process/exec.ts';
import { lowerHookFilter } from './process/seccomp.ts';

/** All kinds, in the order of the lifecycle; poststart and poststop are run by start and delete. */
export const hookKinds = [
  'prestart',
  'createRuntime',
  'createContainer',
  'startContainer',
  'poststart',
  'poststop',
] as const satisfies readonly (keyof Hooks)[];

/** Hooks of the runtime's namespaces as ops of the runtime (config.md, POSIX-platform Hooks). */
export function runtimeHooks({ spec }: Context, kind: 'prestart' | 'createRuntime'): Op[] {
  return hooksOf(spec.hooks, kind).map((hook, index) => ({
    op: 'run-hook',
    by: 'runtime',
    ...fields(hook, kind, index),
    ...ownEnv(hook),
  }));
}

/** Hooks of the container's namespaces whose programs are the runtime's, as ops of init. */
export function createContainerHooks({ spec }: Context): Op[] {
  return hooksOf(spec.hooks, 'createContainer').map((hook, index) => ({
    op: 'run-container-hook',
    by: 'init',
    ...fields(hook, 'createContainer', index),
    ...ownEnv(hook),
    state: 'state',
  }));
}

/** Hooks that are programs of the container: all that holds for its process holds for them, the filter included. */
export function startContainerHooks(context: Context): Op[] {
  const hooks = hooksOf(context.spec.hooks, 'startContainer');
  if (hooks.length === 0) return [];
  const env = processEnv(context);
  return [
    ...lowerHookFilter(context),
    ...hooks.map((hook, index): Op => {
      const at = fields(hook, 'startContainer', index);
      const own = hook.env === undefined ? { env, inherits: 'process' } : ownEnv(hook);
      return { op: 'run-container-hook', by: 'init', ...at, ...own, state: 'state' };
    }),
  ];
}

function hooksOf(hooks: Hooks | undefined, kind: keyof Hooks): readonly Hook[] {
  return hooks?.[kind] ?? [];
}

function fields(hook: Hook, kind: string, index: number) {
  return {
    from: `/hooks/${kind}/${index}`,
    kind,
    index,
    path: hook.path,
    // execv(3) semantics: args holds argv[0] too; without args it is the path.
    args: hook.args ?? [hook.path],
    timeoutSeconds: hook.timeout ?? 0,
  };
}
