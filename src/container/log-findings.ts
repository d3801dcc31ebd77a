import { type PartSource, placePrefix } from '../config/locate.ts';
import { isLogged, type LogLevel, log } from '../log.ts';
import { type Plan, showWarning, type Warning } from '../plan/plan.ts';

type SourceOf = (pointer: string) => PartSource | undefined;

/** The findings of a plan, which `plan` prints instead, each with its place in the text that has the property. */
export function logFindings({ warnings, notes }: Pick<Plan, 'warnings' | 'notes'>, sourceOf: SourceOf): void {
  for (const warning of warnings) logFinding('warning', warning, sourceOf);
  for (const note of notes) logFinding('info', note, sourceOf);
}

function logFinding(level: LogLevel, finding: Warning, sourceOf: SourceOf): void {
  if (!isLogged(level)) return;
  const source = sourceOf(finding.pointer);
  log(level, (source === undefined ? '' : placePrefix(finding.pointer, source)) + showWarning(finding));
}
