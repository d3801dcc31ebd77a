import { showFinding } from '../config/validate/finding.ts';
import type { Report } from './check.ts';

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

/** What it comes to, in one line. */
export function reportVerdict({ path, errors, warnings }: Report): string {
  if (errors.length > 0) return `${count(errors, 'error')}, ${count(warnings, 'warning')}`;
  const odd = warnings.length === 0 ? '' : ` (${count(warnings, 'warning')})`;
  return `${path} is right, and this host can run it${odd}`;
}

function count(list: readonly unknown[], what: string): string {
  return `${list.length} ${what}${list.length === 1 ? '' : 's'}`;
}

export function reportJson(report: Report): string {
  const { text: _text, ...rest } = report;
  return `${JSON.stringify({ ok: report.errors.length === 0, ...rest }, null, 2)}\n`;
}
