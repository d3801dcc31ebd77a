/** Text for `tsrun explain`: about a property, an operation, or an error that names them. */

import { namesIn } from '../config/read/pointer.ts';
import { TsrunError } from '../errors.ts';
import { type ExplainedProperty, opDocs, properties } from '../generated/explain.ts';
import type { Style } from '../style.ts';
import { nearest } from '../suggest.ts';
import { errnosIn, type KnownError, knownErrors } from './known-errors.ts';

/** What a text refers to. */
export interface Explained {
  readonly properties: readonly ExplainedProperty[];
  readonly ops: readonly string[];
  readonly errnos: readonly { name: string; words: string; hint: string | undefined }[];
  readonly words: readonly KnownError[];
}

/**
 * @param text a JSON pointer, the name of an operation, or an error as tsrun prints it
 * @throws TsrunError when nothing in it is known
 */
export function explained(text: string): Explained {
  const pointers = [...text.matchAll(/(?<![\w.:/~*-])\/[A-Za-z]\w*(?:\/[\w.~*+-]+)*/g)].map(([pointer]) => pointer);
  const words = knownErrors.filter(({ pattern }) => pattern.test(text));
  const named = [...pointers, ...words.flatMap(({ pointer }) => pointer ?? [])].map(propertyAt);
  const found = [...new Set(named.filter((one) => one !== undefined))];
  const isOnlyPointer = pointers.length === 1 && pointers[0] === text.trim();
  const ops = isOnlyPointer
    ? []
    : Object.keys(opDocs).filter((op) => new RegExp(`(^|[\\s:])${op}([\\s:]|$)`).test(text));
  const result = { properties: found, ops, errnos: errnosIn(text), words };
  if (Object.values(result).some((list) => list.length > 0)) return result;
  throw new TsrunError(`nothing is known of ${JSON.stringify(text)}`, { hint: suggestion(text) });
}

/**
 * The property at a pointer as messages print it, or the nearest one around it: for an item of a list, or a name in a
 * map.
 */
function propertyAt(pointer: string): ExplainedProperty | undefined {
  for (let names = pointer.replace(/\/$/, '').split('/'); names.length > 1; names = names.slice(0, -1)) {
    const found = properties.find(({ pattern }) => isMatch(pattern.split('/'), names));
    // A pointer that is no property must not be explained as one around it.
    if (found !== undefined)
      return hasItems(found) || found.pattern === pointer || names.join('/') === pointer ? found : undefined;
  }
  return undefined;
}

function hasItems({ type }: ExplainedProperty): boolean {
  return type.startsWith('array') || type.startsWith('object: ');
}

function isMatch(pattern: readonly string[], names: readonly string[]): boolean {
  return pattern.length === names.length && pattern.every((name, at) => name === '*' || name === names[at]);
}

function suggestion(text: string): string {
  const candidates = [...properties.map(({ pattern }) => pattern), ...Object.keys(opDocs)];
  const near = nearest(text.trim(), candidates) ?? ofLastName(text.trim());
  return near === undefined
    ? 'give a JSON pointer such as /linux/resources/memory/limit, an operation of tsrun plan, or an error in quotes'
    : `did you mean ${near}?`;
}

/** `memory.limit` and `memoryLimit` are not pointers, but their last name may be a property's. */
function ofLastName(text: string): string | undefined {
  const name = text
    .split(/[/.\s[\]]+/)
    .filter(Boolean)
    .at(-1)
    ?.toLowerCase();
  return properties.find(({ pattern }) => pattern.toLowerCase().endsWith(`/${name}`))?.pattern;
}

/** Text for people. */
export function explanation({ properties: found, ops, errnos, words }: Explained, style: Style): string {
  const blocks = [
    ...words.map(({ text }) => `${text}\n`),
    ...found.map((property) => propertyText(property, style)),
    ...ops.map((op) => `${style.bold(op)}, an operation of the plan\n  ${opDocs[op]}\n`),
    ...errnos.map(
      ({ name, words: meaning, hint }) =>
        `${style.bold(name)}\n  ${meaning}${hint === undefined ? '' : `\n  ${hint}`}\n`,
    ),
  ];
  return blocks.join('\n');
}

function propertyText(property: ExplainedProperty, style: Style): string {
  const { pattern, description, type, values = [], ops = [], note, files, linux } = property;
  const inner = new RegExp(`^${pattern.replaceAll('*', '\\*')}/(?:\\*/)?([^/*]+)$`);
  const below = properties.flatMap((one) => inner.exec(one.pattern)?.[1] ?? []);
  const isOfCgroup = files.some((file) => !file.startsWith('/'));
  const rows: [string, string][] = [
    ['type', type],
    ['one of', values.join(', ')],
    ['has', below.join(', ')],
    ['becomes', note ?? ops.map((op) => `${op}: ${opDocs[op]}`).join('\n')],
    ['writes', files.length === 0 ? '' : `${files.join(', ')}${isOfCgroup ? ' of the container’s cgroup' : ''}`],
    ['needs', linux === '' ? '' : `Linux ${linux}`],
  ];
  const shown = rows.filter(([, value]) => value !== '').map(([name, value]) => row(name, value, style));
  const lines = [style.bold(pattern), `  ${description}`, ...shown, ...exampleLines(property, style)];
  return `${lines.join('\n')}\n`;
}

const labelWidth = 9;

function row(name: string, value: string, style: Style): string {
  const indent = `\n${' '.repeat(labelWidth + 2)}`;
  return `  ${style.cyan(name.padEnd(labelWidth))}${value.split('\n').flatMap(wrapped).join(indent)}`;
}

/** Width of the text beside the labels, in characters. */
const textWidth = 88;

function wrapped(text: string): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + word.length >= textWidth) {
      lines.push(line);
      line = '  ';
    }
    line += line.trim() === '' ? word : ` ${word}`;
  }
  return [...lines, line];
}

function exampleLines({ example }: ExplainedProperty, style: Style): string[] {
  if (example === undefined) return [];
  const [pointer, value] = example;
  const whole = namesIn(pointer).reduceRight<unknown>((inner, name) => ({ [name]: inner }), value);
  const text = compactJson(whole);
  return [`  ${style.cyan('example')}`, ...text.split('\n').map((line) => `    ${line}`)];
}

/** Indented JSON, but on one line if it fits. */
function compactJson(value: unknown, indent = ''): string {
  const spaced: Record<string, string> = { '{': '{ ', '}': ' }', ':': ': ', ',': ', ' };
  const flat = JSON.stringify(value).replace(/("(?:[^"\\]|\\.)*")|[{}:,]/g, (mark) => spaced[mark] ?? mark);
  if (typeof value !== 'object' || value === null || flat.length + indent.length <= 76) return flat;
  const inner = `${indent}  `;
  const entries = Array.isArray(value)
    ? value.map((item) => inner + compactJson(item, inner))
    : Object.entries(value).map(([name, item]) => `${inner}${JSON.stringify(name)}: ${compactJson(item, inner)}`);
  const [open, close] = Array.isArray(value) ? '[]' : '{}';
  return `${open}\n${entries.join(',\n')}\n${indent}${close}`;
}
