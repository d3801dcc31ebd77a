/**
 * Turns the text of config.json into its value, and refuses some things that JSON.parse accepts. On the start-up path.
 */
import { addon } from '../../addon.ts';
import { TsrunError } from '../../errors.ts';
import { scanJson } from './json-scanner.ts';
import { closingQuote, demandFewNames, skipSpace } from './key-limit.ts';
import { appendPointer, placeOf, showPlace } from './pointer.ts';

/**
 * The most levels of nesting. A Spec has fewer than ten; without a limit, a file of brackets would overflow the stack
 * of any code that walks the value.
 */
export const maxDepth = 100;

/**
 * Parses the text of a config.json.
 *
 * @param path names the file in messages
 * @throws TsrunError with line and column when the text is not JSON; has a property twice (tools would differ on which
 *   one counts), or too many properties; nests too deep; or has a string with a NUL (the kernel would cut the string
 *   there) or half a surrogate pair (which has no UTF-8 form)
 */
export function parseSpecText(text: string, path: string): unknown {
  if (text.charCodeAt(0) === 0xfeff) {
    throw new TsrunError('the file begins with a byte order mark', {
      place: { path, text, line: 1, column: 1 },
      hint: 'save it as UTF-8 without BOM',
    });
  }
  demandFewNames(text, path);
  const value = parse(text, path);
  if (!addon().hasPlainKeys(text, maxDepth) && countKeysOfValue(value, 0) !== countKeysOfText(text)) {
    throw locatedError(text, path);
  }
  // Searching for the two characters first is ten times as fast as the expression.
  if (text.includes('\\u') && /\\u(?:0000|d[89a-f])/i.test(text)) refuseBadStrings(value, text, path);
  return value;
}

/** The most lines in one error's message. */
const maxShown = 20;

function more(all: readonly unknown[]): string[] {
  return all.length > maxShown ? [`and ${all.length - maxShown} more`] : [];
}

function parse(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw locatedError(text, path, error);
  }
}

/** Uses the slow scanner to find what JSON.parse or the count of keys has refused. */
function locatedError(text: string, path: string, cause?: unknown): TsrunError {
  const { error, duplicates } = scanJson(text, maxDepth);
  if (error !== undefined) {
    const place = { path, text, ...placeOf(text, error.offset) };
    return new TsrunError(error.message, { place, cause, hint: syntaxHint(error.message, path) });
  }
  const places = duplicates.slice(0, maxShown).map(({ pointer, first, second }) => {
    return `${showPlace(path, text, second)}: ${pointer}: given a second time, first at ${showPlace(path, text, first)}`;
  });
  if (places.length === 0) return new TsrunError(`${path}: not JSON: ${String(cause)}`, { cause });
  return new TsrunError([...places, ...more(duplicates)].join('\n'), { hint: 'remove one of the two' });
}

/** A hint for the case that part of the file is missing. */
function syntaxHint(message: string, path: string): string | undefined {
  const isEmpty = message.includes('the file is empty');
  // Other files are for exec and update, and hold something else.
  if (isEmpty && /(^|\/)config\.json$/.test(path)) return '`tsrun spec` writes a config.json to begin with';
  const isCutOff = isEmpty || message.includes('cut off') || message.includes('ends too early');
  return isCutOff ? 'write or copy it again: was the disk full, or the file still being written?' : undefined;
}

/**
 * Counts the keys in the text: strings before a colon. If there are more than in the value, some object has a key
 * twice. The text must be valid JSON.
 */
function countKeysOfText(text: string): number {
  let keys = 0;
  for (let open = text.indexOf('"'); open !== -1; ) {
    const next = skipSpace(text, closingQuote(text, open) + 1);
    if (text.charCodeAt(next) === 0x3a) keys++;
    open = text.indexOf('"', next);
  }
  return keys;
}

/** NaN, which equals no count, if the value is nested too deep. */
function countKeysOfValue(value: unknown, depth: number): number {
  if (typeof value !== 'object' || value === null) return 0;
  if (depth === maxDepth) return Number.NaN;
  let keys = 0;
  if (Array.isArray(value)) {
    for (const item of value) keys += countKeysOfValue(item, depth + 1);
    return keys;
  }
  for (const inner of Object.values(value)) keys += 1 + countKeysOfValue(inner, depth + 1);
  return keys;
}

function refuseBadStrings(value: unknown, text: string, path: string): void {
  const bad = badStrings(value);
  if (bad.length === 0) return;
  const { names, values } = scanJson(text, maxDepth);
  const lines = bad.slice(0, maxShown).map(({ pointer, isName, what }) => {
    const offset = (isName ? names : values).get(pointer) ?? 0;
    return `${showPlace(path, text, offset)}: ${pointer}: ${isName ? 'the name' : 'the string'} contains ${what}`;
  });
  throw new TsrunError([...lines, ...more(bad)].join('\n'));
}

interface BadString {
  pointer: string;
  isName: boolean;
  what: string;
}

function badStrings(value: unknown, pointer = ''): BadString[] {
  if (typeof value === 'string') return badString(value, pointer, false);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => {
    const innerPointer = appendPointer(pointer, name);
    return [...badString(name, innerPointer, true), ...badStrings(inner, innerPointer)];
  });
}

function badString(text: string, pointer: string, isName: boolean): BadString[] {
  if (text.includes('\0')) return [{ pointer, isName, what: 'a NUL character (\\u0000)' }];
  if (/\p{Surrogate}/u.test(text)) return [{ pointer, isName, what: 'half of a surrogate pair, which has no UTF-8' }];
  return [];
}
