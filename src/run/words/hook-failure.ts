import { constants } from 'node:os';
import { hookEnd } from '../../addon.ts';
import { TsrunError } from '../../errors.ts';
import { errnoWords } from '../../linux/errno.ts';
import { hookHint } from './hook-hints.ts';
import { tooLongHint, type Vectors, whatIsTooLong } from './too-long.ts';

/** How a hook ended, as the addon or init tells it. */
export interface HookOutcome {
  end: number;
  code: number;
  output: string;
}

/** `error running poststart hook #0: /bin/notify: exited with status 3; its output ended: …`: it begins as runc's does. */
export function hookFailed(
  hook: { from: string; path: string; timeoutSeconds: number | bigint } & Vectors,
  outcome: HookOutcome,
) {
  const what = {
    [hookEnd.exited]: `exited with status ${outcome.code}`,
    [hookEnd.signalled]: `was killed by signal ${outcome.code}`,
    [hookEnd.timedOut]: `hook ran past specified timeout of ${hook.timeoutSeconds}s`,
    [hookEnd.notStarted]: `could not be started: ${errnoWords(outcome.code)}`,
  }[outcome.end];
  const [, kind, index] = hook.from.split('/').filter(Boolean) as [string, string, string];
  const output = outcome.output.trim();
  const tail = output === '' ? 'it printed nothing' : `its output ended: ${output}`;
  const isTooLong = outcome.end === hookEnd.notStarted && outcome.code === constants.errno.E2BIG;
  const why = isTooLong ? `: ${whatIsTooLong(hook, hook.from)}` : '';
  return new TsrunError(`error running ${kind} hook #${index}: ${hook.path}: ${what ?? 'failed'}${why}; ${tail}`, {
    pointer: hook.from,
    hint: isTooLong ? tooLongHint : hookHint(kind, hook.path, outcome),
  });
}
