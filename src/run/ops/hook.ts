import { addon } from '../../addon.ts';
import { hookEnd } from '../../generated/messages.ts';
import type { Hook, State } from '../../generated/spec.ts';
import { ownEnv } from '../../linux/hook-env.ts';
import { type HookOutcome, hookFailed, hookNotRun } from '../failures/hook-failure.ts';

/** A hook as an op or the config gives it, with its place for messages. */
export interface PlacedHook {
  from: string;
  kind: string;
  index: number | bigint;
  path: string;
  args: readonly string[];
  env: readonly string[];
  /** Whose environment it gets instead of `env`. */
  inherits: string | null;
  timeoutSeconds: number | bigint;
}

export function placeHook(hook: Hook, kind: string, index: number): PlacedHook {
  return {
    from: `/hooks/${kind}/${index}`,
    kind,
    index,
    path: hook.path,
    args: hook.args ?? [hook.path],
    ...ownEnv(hook),
    timeoutSeconds: hook.timeout ?? 0,
  };
}

/**
 * Runs one hook in the runtime's namespaces with the state on its stdin (config.md, POSIX-platform Hooks).
 *
 * @throws TsrunError that names the hook, how it ended and the end of its output
 */
export function runHook(hook: PlacedHook, state: State): void {
  const outcome = outcomeOf(hook, state);
  if (outcome.end === hookEnd.exited && outcome.code === 0) return;
  throw hookFailed(hook, outcome);
}

function outcomeOf(hook: PlacedHook, state: State): HookOutcome {
  try {
    return addon().runHook({
      path: hook.path,
      args: hook.args,
      env: hook.inherits === 'runtime' ? runtimeEnv() : hook.env,
      state: JSON.stringify(state),
      timeoutMs: Number(hook.timeoutSeconds) * 1000,
    });
  } catch (error) {
    throw hookNotRun(hook, error);
  }
}

/** This process's environment as `name=value`. */
export function runtimeEnv(): string[] {
  return Object.entries(process.env).map(([name, value]) => `${name}=${value}`);
}
