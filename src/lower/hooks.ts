import type { Op } from '../generated/ops.ts';
import type { Hook, Hooks } from '../generated/spec.ts';
import { ownEnv } from '../linux/hook-env.ts';
import type { Context } from './context.ts';
import { processEnv } from './process/exec.ts';
import { lowerHookFilter } from './process/seccomp.ts';

/** All kinds, in the order of the lifecycle; start runs poststart and delete runs poststop. */
export const hookKinds = [
  'prestart',
  'createRuntime',
  'createContainer',
  'startContainer',
  'poststart',
  'poststop',
] as const satisfies readonly (keyof Hooks)[];

/** Hooks that run in the runtime's namespaces, as ops of the runtime (config.md, POSIX-platform Hooks). */
export function runtimeHooks({ spec }: Context, kind: 'prestart' | 'createRuntime'): Op[] {
  return hooksOf(spec.hooks, kind).map((hook, index) => ({
    op: 'run-hook',
    by: 'runtime',
    ...fields(hook, kind, index),
    ...ownEnv(hook),
  }));
}

/** Hooks that run in the container's namespaces but are programs of the runtime's, as ops of init. */
export function createContainerHooks({ spec }: Context): Op[] {
  return hooksOf(spec.hooks, 'createContainer').map((hook, index) => ({
    op: 'run-container-hook',
    by: 'init',
    ...fields(hook, 'createContainer', index),
    ...ownEnv(hook),
    state: 'state',
  }));
}

/** Hooks that are the container's programs: they get all restrictions of its process, the filter included. */
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
    // As in execv(3), args includes argv[0]; without args, argv[0] is the path.
    args: hook.args ?? [hook.path],
    timeoutSeconds: hook.timeout ?? 0,
  };
}
