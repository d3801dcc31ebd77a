import { join } from 'node:path';
import type { Report } from '../../check/check.ts';
import type { ReportFormat } from '../../check/report.ts';
import { TsrunError } from '../../errors.ts';
import { print } from '../../output.ts';
import { bundleOption, configOf, configOption, lowerOptions } from '../bundle-options.ts';
import type { CommandDeclaration, GlobalOptions, OptionValues } from '../declaration.ts';

/** `tsrun check`: is this bundle right, and can this host run it? Changes nothing. */
export const check: CommandDeclaration = {
  name: 'check',
  summary: 'check whether a bundle is valid and this host can run it',
  arguments: [],
  options: [
    bundleOption,
    // Without the short form, which means --format here.
    { ...configOption, flags: '--config <file>' },
    {
      flags: '-f, --format <format>',
      description: 'output format; sarif is for editors and code scanning, github for the log of a workflow',
      choices: ['text', 'json', 'sarif', 'github'],
      default: 'text',
    },
  ],
  examples: [
    'tsrun check --bundle /containers/web',
    'tsrun check --config new-config.json',
    'tsrun check --format json | jq -r .errors[].message',
    'tsrun check --format sarif > tsrun.sarif',
  ],
  async run(_args, options, globals) {
    const { reportVerdict, showReport } = await import('../../check/report.ts');
    const report = await reportOf(options, globals);
    const format = options.format as ReportFormat;
    if (format === 'text' && process.stdout.isTTY === true) await showPeople(report, reportVerdict(report));
    else print(showReport(report, format, process.cwd()));
    return report.errors.length === 0 ? 0 : 1;
  },
};

async function reportOf(options: OptionValues, globals: GlobalOptions): Promise<Report> {
  const { checkBundle, unreadable } = await import('../../check/check.ts');
  const { hostProbe } = await import('../../check/probe.ts');
  const { gatherHostFacts } = await import('../../host/facts.ts');
  const given = lowerOptions('container', options, globals);
  const config = configOf(options);
  try {
    return checkBundle(given, gatherHostFacts(), hostProbe, config);
  } catch (error) {
    // A program wants its document, whatever the result.
    if (options.format === 'text' || !(error instanceof TsrunError)) throw error;
    return unreadable(error, config ?? join(given.bundle, 'config.json'));
  }
}

/** Shows the findings with the lines of the file. */
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
