import { constants } from 'node:os';
import { asTsrunError, TsrunError } from '../../errors.ts';
import { hookEnd } from '../../generated/messages.ts';
import { errnoWords } from '../../linux/errno.ts';
import { hookHint } from './hook-hints.ts';
import { tooLongHint, type Vectors, whatIsTooLong } from './too-long.ts';

/** How a hook ended, as the addon or init reports it. */
export interface HookOutcome {
  end: number;
  code: number;
  output: string;
}

interface NamedHook {
  from: string;
  kind: string;
  index: number | bigint;
  path: string;
}

/**
 * `error running poststart hook #0: /bin/notify: exited with status 3; its output ended: …`: the beginning is runc's.
 */
export function hookFailed(hook: NamedHook & { timeoutSeconds: number | bigint } & Vectors, outcome: HookOutcome) {
  const what = {
    [hookEnd.exited]: `exited with status ${outcome.code}`,
    [hookEnd.signalled]: `was killed by signal ${outcome.code}`,
    [hookEnd.timedOut]: `hook ran past specified timeout of ${hook.timeoutSeconds}s`,
    [hookEnd.notStarted]: `could not be started: ${errnoWords(outcome.code)}`,
  }[outcome.end];
  const output = outcome.output.trim();
  const tail = output === '' ? 'it printed nothing' : `its output ended: ${output}`;
  const isTooLong = outcome.end === hookEnd.notStarted && outcome.code === constants.errno.E2BIG;
  const why = isTooLong ? `: ${whatIsTooLong(hook, hook.from)}` : '';
  return new TsrunError(`${nameOf(hook)}: ${what ?? 'failed'}${why}; ${tail}`, {
    code: 'EHOOK',
    pointer: hook.from,
    hint: isTooLong ? tooLongHint : hookHint(hook.kind, hook.path, outcome),
  });
}

/** For a system error before or while the hook ran; a defect of tsrun's own is returned unchanged. */
export function hookNotRun(hook: NamedHook, error: unknown): unknown {
  const known = asTsrunError(error);
  if (known === undefined) return error;
  return new TsrunError(`${nameOf(hook)}: ${known.message}`, {
    code: 'EHOOK',
    pointer: hook.from,
    hint: known.hint,
    cause: error,
  });
}

function nameOf({ kind, index, path }: NamedHook): string {
  return `error running ${kind} hook #${index}: ${path}`;
}
