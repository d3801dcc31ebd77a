/** Shows one error or oddity to people at a terminal: what, where, the line itself, and what to do. */
import { type ErrorPlace, oneLine } from './errors.ts';
import type { Style } from './style.ts';

export interface ProblemForPeople {
  readonly level: 'error' | 'warning' | 'info' | 'debug';
  readonly message: string;
  readonly place: ErrorPlace | undefined;
  readonly hint?: string | undefined;
}

/** How many characters of a line are shown: a config may be one line of a million characters. */
const maxWidth = 76;

export function showProblem({ level, message, place, hint }: ProblemForPeople, style: Style): string {
  const [first = '', ...rest] = message.split('\n').map(oneLine);
  const colour = { error: style.red, warning: style.yellow, info: style.dim, debug: style.dim }[level];
  const lines = [
    `${style.bold(colour(`${level}:`))} ${style.bold(first)}`,
    ...rest.map((line) => `  ${line}`),
    ...(place === undefined ? [] : excerpt(place, style)),
    ...(hint === undefined ? [] : [`${style.green('hint:')} ${oneLine(hint)}`]),
  ];
  return `${lines.join('\n')}\n`;
}

/** The place, its line in the file, and a mark below the value. */
function excerpt({ path, text, line, column }: ErrorPlace, style: Style): string[] {
  const whole = [...(text.split('\n', line)[line - 1] ?? '').replaceAll('\t', ' ')];
  const from = whole.length <= maxWidth ? 0 : Math.max(0, Math.min(column - 1 - 20, whole.length - maxWidth));
  const cut = whole.slice(from, from + maxWidth).join('');
  const shown = `${from > 0 ? '…' : ''}${oneLine(cut)}${from + maxWidth < whole.length ? '…' : ''}`;
  const indent = column - 1 - from + (from > 0 ? 1 : 0);
  const marked = valueLength(whole.slice(column - 1, from + maxWidth).join(''));
  const gutter = ' '.repeat(String(line).length);
  return [
    `${gutter}${style.cyan('-->')} ${oneLine(pathFromHere(path))}:${line}:${column}`,
    `${style.cyan(`${line} |`)} ${shown}`,
    `${style.cyan(`${gutter} |`)} ${' '.repeat(indent)}${style.red('^'.repeat(marked))}`,
  ];
}

/** Length of the value that a text begins with, in characters; 1 if the value spans lines. */
function valueLength(text: string): number {
  const [value = ''] = /^(?:"(?:[^"\\]|\\.)*"?|[^\s,\]}[{]+)/.exec(text) ?? [];
  return Math.max(1, [...value].length);
}

/** The path as a user would type it here. */
function pathFromHere(path: string): string {
  const here = `${process.cwd()}/`;
  return path.startsWith(here) ? path.slice(here.length) : path;
}
