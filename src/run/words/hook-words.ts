import { hookEnd } from '../../addon.ts';
import { TsrunError } from '../../errors.ts';
import { errnoWords } from '../../linux/errno.ts';

/** How a hook ended, as the addon or init tells it. */
export interface HookOutcome {
  end: number;
  code: number;
  output: string;
}

/** `hooks.poststart[0] /bin/notify: exited with status 3; its output ended: …`. */
export function hookFailed(
  hook: { from: string; path: string; timeoutSeconds: number | bigint },
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
  return new TsrunError(`hooks.${kind}[${index}] ${hook.path}: ${what ?? 'failed'}; ${tail}`);
}
