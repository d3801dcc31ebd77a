import { version } from '../build-info.ts';
import { type Finding, showFinding } from '../config/validate/finding.ts';
import type { Report } from './check.ts';

/** Formats of `check`, for people and for programs. */
const reportFormats = ['text', 'json', 'sarif', 'github'] as const;
export type ReportFormat = (typeof reportFormats)[number];

/** @param directory that the shown paths are relative to, where a format needs that */
export function showReport(report: Report, format: ReportFormat, directory: string): string {
  switch (format) {
    case 'text':
      return reportText(report);
    case 'json':
      return reportJson(report);
    case 'sarif':
      return reportSarif(report, directory);
    case 'github':
      return reportGithub(report, directory);
  }
}

/** A line for each finding, and one that sums up. */
export function reportText(report: Report): string {
  const { path, errors, warnings } = report;
  const lines = [
    ...errors.map((finding) => `error: ${showFinding(finding, path)}`),
    ...warnings.map((finding) => `warning: ${showFinding(finding, path)}`),
    reportVerdict(report),
  ];
  return `${lines.join('\n')}\n`;
}

/** The result in one line. */
export function reportVerdict({ path, errors, warnings }: Report): string {
  if (errors.length > 0) return `${count(errors, 'error')}, ${count(warnings, 'warning')}`;
  return warnings.length === 0
    ? `${path}: no problems found`
    : `${path}: no errors found, ${count(warnings, 'warning')}`;
}

function count(list: readonly unknown[], what: string): string {
  return `${list.length} ${what}${list.length === 1 ? '' : 's'}`;
}

export function reportJson(report: Report): string {
  const { text: _text, ...rest } = report;
  return `${JSON.stringify({ ok: report.errors.length === 0, ...rest }, null, 2)}\n`;
}

type Level = 'error' | 'warning';

function leveled({ errors, warnings }: Report): [Level, Finding][] {
  return [
    ...errors.map((finding): [Level, Finding] => ['error', finding]),
    ...warnings.map((finding): [Level, Finding] => ['warning', finding]),
  ];
}

function messageOf({ pointer, message, hint }: Finding): string {
  return `${pointer === '' ? '' : `${pointer}: `}${message}${hint === undefined ? '' : ` (${hint})`}`;
}

function pathFrom(path: string, directory: string): string {
  return path.startsWith(`${directory}/`) ? path.slice(directory.length + 1) : path;
}

/** SARIF 2.1.0 (OASIS), as editors and GitHub's code scanning read it. */
export function reportSarif(report: Report, directory: string): string {
  const found = leveled(report);
  const rules = [...new Set(found.map(([, { rule }]) => rule))];
  const uri = pathFrom(report.path, directory).split('/').map(encodeURIComponent).join('/');
  const artifactLocation = { uri: uri.startsWith('/') ? `file://${uri}` : uri };
  const results = found.map(([level, finding]) => ({
    ruleId: finding.rule,
    ruleIndex: rules.indexOf(finding.rule),
    level,
    message: { text: messageOf(finding) },
    locations: [
      {
        physicalLocation: { artifactLocation, region: { startLine: finding.line, startColumn: finding.column } },
        ...(finding.pointer !== '' && { logicalLocations: [{ fullyQualifiedName: finding.pointer }] }),
      },
    ],
  }));
  const driver = { name: 'tsrun', version, rules: rules.map((id) => ({ id })) };
  const run = { tool: { driver }, columnKind: 'unicodeCodePoints', results };
  const $schema = 'https://json.schemastore.org/sarif-2.1.0.json';
  return `${JSON.stringify({ $schema, version: '2.1.0', runs: [run] }, null, 2)}\n`;
}

/** Workflow commands of GitHub's actions, which show each finding at its line. */
export function reportGithub(report: Report, directory: string): string {
  const file = property(pathFrom(report.path, directory));
  return leveled(report)
    .map(([level, finding]) => {
      const { line, column, rule } = finding;
      return `::${level} file=${file},line=${line},col=${column},title=${property(rule)}::${data(messageOf(finding))}\n`;
    })
    .join('');
}

function data(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function property(text: string): string {
  return data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}
