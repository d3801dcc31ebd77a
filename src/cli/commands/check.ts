import type { Report } from '../../check/check.ts';
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
    const [{ checkBundle }, { hostProbe }, { reportJson, reportText, reportVerdict }, { gatherHostFacts }] =
      await Promise.all([
        import('../../check/check.ts'),
        import('../../check/probe.ts'),
        import('../../check/report.ts'),
        import('../../host/facts.ts'),
      ]);
    const report = checkBundle(lowerOptions('container', options, globals), gatherHostFacts(), hostProbe);
    if (options.format === 'json') print(reportJson(report));
    else if (process.stdout.isTTY !== true) print(reportText(report));
    else await showPeople(report, reportVerdict(report));
    return report.errors.length === 0 ? 0 : 1;
  },
};

/** With the lines of the file. */
async function showPeople(report: Report, verdict: string): Promise<void> {
  const { findingsForPeople } = await import('../people.ts');
  const { hasColours, styles } = await import('../../style.ts');
  const style = styles(hasColours(process.stdout));
  const { errors, warnings } = report;
  const parts = [
    findingsForPeople(errors, report, style),
    findingsForPeople(warnings, report, style, 'warning'),
    `${(errors.length === 0 ? style.green : style.red)(verdict)}\n`,
  ];
  print(parts.filter(Boolean).join('\n'));
}
