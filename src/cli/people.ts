/** An error as people read it at a terminal: what is wrong, where, the line itself, and what to do. */
import { type Finding, SpecError } from '../config/validate/finding.ts';
import { type ErrorPlace, oneLine, type TsrunError } from '../errors.ts';
import type { Style } from '../style.ts';

/** Findings that are shown; the others are counted. */
const maxShown = 20;

/** Characters of a line that are shown: a config may be one line of a million. */
const maxWidth = 76;

/** @param prefix of the command's errors, such as `exec failed: ` */
export function tellPeople(error: TsrunError, prefix: string, style: Style): string {
  if (error instanceof SpecError) return findingsForPeople(error.findings, error.source, style);
  const { place, pointer, hint, isNamed, text } = error;
  const subject = pointer !== undefined && isNamed ? `${pointer}: ` : undefined;
  // An option, or words that have no property, stand in the message itself.
  const message = subject === undefined && place === undefined ? error.message : `${subject ?? ''}${text}`;
  return problem({ level: 'error', message: `${prefix}${message}`, place, hint }, style);
}

/** What validation or `check` has found, one after the other. */
export function findingsForPeople(
  findings: readonly Finding[],
  { path, text }: { path: string; text: string },
  style: Style,
  level: 'error' | 'warning' = 'error',
): string {
  const shown = findings.slice(0, maxShown).map(({ pointer, message, hint, line, column }) => {
    const subject = pointer === '' ? '' : `${pointer}: `;
    return problem({ level, message: `${subject}${message}`, place: { path, text, line, column }, hint }, style);
  });
  const more = findings.length - shown.length;
  return [...shown, ...(more > 0 ? [`and ${more} more\n`] : [])].join('\n');
}

interface ProblemForPeople {
  readonly level: 'error' | 'warning';
  readonly message: string;
  readonly place: ErrorPlace | undefined;
  readonly hint?: string | undefined;
}

function problem({ level, message, place, hint }: ProblemForPeople, style: Style): string {
  const [first = '', ...rest] = message.split('\n').map(oneLine);
  const colour = level === 'error' ? style.red : style.yellow;
  const lines = [
    `${style.bold(colour(`${level}:`))} ${style.bold(first)}`,
    ...rest.map((line) => `  ${line}`),
    ...(place === undefined ? [] : excerpt(place, style)),
    ...(hint === undefined ? [] : [`${style.green('hint:')} ${oneLine(hint)}`]),
  ];
  return `${lines.join('\n')}\n`;
}

/** The place, its line of the file, and a mark below the value. */
function excerpt({ path, text, line, column }: ErrorPlace, style: Style): string[] {
  const whole = [...(text.split('\n', line)[line - 1] ?? '').replaceAll('\t', ' ')];
  const from = whole.length <= maxWidth ? 0 : Math.max(0, Math.min(column - 1 - 20, whole.length - maxWidth));
  const cut = whole.slice(from, from + maxWidth).join('');
  const shown = `${from > 0 ? '…' : ''}${oneLine(cut)}${from + maxWidth < whole.length ? '…' : ''}`;
  const indent = column - 1 - from + (from > 0 ? 1 : 0);
  const marked = valueLength(whole.slice(column - 1, from + maxWidth).join(''));
  const gutter = ' '.repeat(String(line).length);
  return [
    `${gutter}${style.cyan('-->')} ${oneLine(nearPath(path))}:${line}:${column}`,
    `${style.cyan(`${line} |`)} ${shown}`,
    `${style.cyan(`${gutter} |`)} ${' '.repeat(indent)}${style.red('^'.repeat(marked))}`,
  ];
}

/** Characters of the value that a text begins with; one for what spans lines. */
function valueLength(text: string): number {
  const [value = ''] = /^(?:"(?:[^"\\]|\\.)*"?|[^\s,\]}[{]+)/.exec(text) ?? [];
  return Math.max(1, [...value].length);
}

/** As one would type it here. */
function nearPath(path: string): string {
  const here = `${process.cwd()}/`;
  return path.startsWith(here) ? path.slice(here.length) : path;
}
