import { findingIn, type PartSource, placeOfProperty } from '../config/locate.ts';
import { logFinding, placeFindings } from '../log.ts';
import type { Plan } from '../plan/plan.ts';

type SourceOf = (pointer: string) => PartSource | undefined;

/** Logs the findings of a plan (`plan` prints them instead), each with its place in the text that has the property. */
export function logFindings({ warnings, notes }: Pick<Plan, 'warnings' | 'notes'>, sourceOf: SourceOf): void {
  placeIn(sourceOf);
  for (const warning of warnings) logFinding('warning', warning);
  for (const note of notes) logFinding('info', note);
}

/** Gives all findings from now on their place in that text, those made while the plan runs, too. */
export function placeIn(sourceOf: SourceOf): void {
  placeFindings((finding) => {
    const source = finding.pointer === '' ? undefined : sourceOf(finding.pointer);
    if (source === undefined) return finding;
    return { ...findingIn(finding, source), place: placeOfProperty(finding.pointer, source) };
  });
}
