import { print } from '../../output.ts';
import { bundleOption, lowerOptions } from '../bundle-options.ts';
import type { CommandDeclaration } from '../declaration.ts';

/** `tsrun check`: is this bundle right, and can this host run it? Touches nothing. */
export const check: CommandDeclaration = {
  name: 'check',
  summary: 'say whether a bundle is right and this host can run it',
  arguments: [],
  options: [
    bundleOption,
    { flags: '-f, --format <format>', description: 'output format', choices: ['text', 'json'], default: 'text' },
  ],
  examples: ['tsrun check --bundle /containers/web', 'tsrun check --format json | jq -r .errors[].message'],
  async run(_args, options, globals) {
    const [{ checkBundle }, { hostProbe }, { reportJson, reportText }, { gatherHostFacts }] = await Promise.all([
      import('../../check/check.ts'),
      import('../../check/probe.ts'),
      import('../../check/report.ts'),
      import('../../host/facts.ts'),
    ]);
    const report = checkBundle(lowerOptions('container', options, globals), gatherHostFacts(), hostProbe);
    print(options.format === 'json' ? reportJson(report) : reportText(report));
    return report.errors.length === 0 ? 0 : 1;
  },
};
