import { showFinding } from '../config/validate/finding.ts';
import type { Report } from './check.ts';

/** A line for each finding, and one that sums up. */
export function reportText({ path, errors, warnings }: Report): string {
  const lines = [
    ...errors.map((finding) => `error: ${showFinding(finding, path)}`),
    ...warnings.map((finding) => `warning: ${showFinding(finding, path)}`),
    errors.length === 0
      ? `${path} is right, and this host can run it${warnings.length === 0 ? '' : ` (${count(warnings, 'warning')})`}`
      : `${count(errors, 'error')}, ${count(warnings, 'warning')}`,
  ];
  return `${lines.join('\n')}\n`;
}

function count(list: readonly unknown[], what: string): string {
  return `${list.length} ${what}${list.length === 1 ? '' : 's'}`;
}

export function reportJson(report: Report): string {
  return `${JSON.stringify({ ok: report.errors.length === 0, ...report }, null, 2)}\n`;
}
