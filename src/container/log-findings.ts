import { type PartSource, placeOfProperty, placePrefix } from '../config/locate.ts';
import { isLogged, type LogLevel, logFinding, placeFindings } from '../log.ts';
import { type Plan, showWarning, type Warning } from '../plan/plan.ts';

type SourceOf = (pointer: string) => PartSource | undefined;

/** Logs the findings of a plan (`plan` prints them instead), each with its place in the text that has the property. */
export function logFindings({ warnings, notes }: Pick<Plan, 'warnings' | 'notes'>, sourceOf: SourceOf): void {
  placeIn(sourceOf);
  for (const warning of warnings) logPlaced('warning', warning, sourceOf);
  for (const note of notes) logPlaced('info', note, sourceOf);
}

/** Gives the findings made while the plan runs their place in that text, too. */
export function placeIn(sourceOf: SourceOf): void {
  placeFindings((pointer) => {
    const source = sourceOf(pointer);
    return source === undefined ? undefined : placeOfProperty(pointer, source);
  });
}

function logPlaced(level: LogLevel, finding: Warning, sourceOf: SourceOf): void {
  if (!isLogged(level)) return;
  logFinding(level, finding, () => {
    const source = sourceOf(finding.pointer);
    return (source === undefined ? '' : placePrefix(finding.pointer, source)) + showWarning(finding);
  });
}
