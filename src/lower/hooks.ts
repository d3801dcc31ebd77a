import type { Op } from '../generated/ops.ts';
import type { Hook, Hooks } from '../generated/spec.ts';
import type { Context } from './context.ts';

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
  }));
}

/** Hooks of the container's namespaces as ops of init. */
export function containerHooks({ spec }: Context, kind: 'createContainer' | 'startContainer'): Op[] {
  return hooksOf(spec.hooks, kind).map((hook, index) => ({
    op: 'run-container-hook',
    by: 'init',
    ...fields(hook, kind, index),
    state: 'state',
  }));
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
    env: hook.env ?? [],
    timeoutSeconds: hook.timeout ?? 0,
  };
}
