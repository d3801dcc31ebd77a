/** Shows an error to people at a terminal: what is wrong, where, the line itself, and what to do. */
import { type Finding, SpecError } from '../config/validate/finding.ts';
import type { TsrunError } from '../errors.ts';
import { showProblem } from '../problem.ts';
import type { Style } from '../style.ts';

/** How many findings are shown; the others are counted. */
const maxShown = 20;

/** @param prefix of the command's errors, such as `exec failed: ` */
export function tellPeople(error: TsrunError, prefix: string, style: Style): string {
  if (error instanceof SpecError) return findingsForPeople(error.findings, error.source, style);
  const { place, pointer, hint, isNamed, text } = error;
  const subject = pointer !== undefined && isNamed ? `${pointer}: ` : undefined;
  // An option, or anything else without a property, is named in the message itself.
  const message = subject === undefined && place === undefined ? error.message : `${subject ?? ''}${text}`;
  return showProblem({ level: 'error', message: `${prefix}${message}`, place, hint }, style);
}

/** What validation or `check` has found, one finding after the other. */
export function findingsForPeople(
  findings: readonly Finding[],
  { path, text }: { path: string; text: string },
  style: Style,
  level: 'error' | 'warning' = 'error',
): string {
  const shown = findings.slice(0, maxShown).map(({ pointer, message, hint, line, column }) => {
    const subject = pointer === '' ? '' : `${pointer}: `;
    return showProblem({ level, message: `${subject}${message}`, place: { path, text, line, column }, hint }, style);
  });
  const more = findings.length - shown.length;
  return [...shown, ...(more > 0 ? [`and ${more} more\n`] : [])].join('\n');
}
