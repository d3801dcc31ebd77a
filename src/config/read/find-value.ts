/**
 * Finds where a value stands in a text that is known to be JSON. Values that are not on the way to it are skipped, not
 * parsed.
 */
import { closingQuote, skipSpace } from './key-limit.ts';
import { namesIn } from './pointer.ts';

/** @returns the offset of the value at a JSON pointer; undefined if there is no such value */
export function findValue(text: string, pointer: string): number | undefined {
  let at = skipSpace(text, 0);
  for (const name of namesIn(pointer)) {
    const found = text[at] === '{' ? findProperty(text, at, name) : findItem(text, at, name);
    if (found === undefined) return undefined;
    at = found;
  }
  return at;
}

/** @param open offset of the object's bracket */
function findProperty(text: string, open: number, name: string): number | undefined {
  let at = skipSpace(text, open + 1);
  while (text[at] === '"') {
    const end = closingQuote(text, at) + 1;
    const value = skipSpace(text, skipSpace(text, end) + 1);
    if (JSON.parse(text.slice(at, end)) === name) return value;
    at = next(text, value);
  }
  return undefined;
}

/** @param open offset of the array's bracket; any other value has no items */
function findItem(text: string, open: number, index: string): number | undefined {
  if (text[open] !== '[' || !/^\d+$/.test(index)) return undefined;
  let at = skipSpace(text, open + 1);
  for (let left = Number(index); text[at] !== ']' && text[at] !== undefined; left--) {
    if (left === 0) return at;
    at = next(text, at);
  }
  return undefined;
}

/** Offset of what follows the value at `at` and its comma; after the last value, that is the closing bracket. */
function next(text: string, at: number): number {
  const end = skipSpace(text, valueEnd(text, at));
  return text[end] === ',' ? skipSpace(text, end + 1) : end;
}

function valueEnd(text: string, at: number): number {
  let depth = 0;
  const sign = /["[\]{},]/g;
  sign.lastIndex = at;
  for (let found = sign.exec(text); found !== null; found = sign.exec(text)) {
    switch (found[0]) {
      case '"':
        sign.lastIndex = closingQuote(text, found.index) + 1;
        if (depth === 0) return sign.lastIndex;
        break;
      case '{':
      case '[':
        depth++;
        break;
      case ',':
        if (depth === 0) return found.index;
        break;
      default:
        // The value is a word or a number, so this bracket closes the value around it.
        if (depth === 0) return found.index;
        if (--depth === 0) return sign.lastIndex;
    }
  }
  return text.length;
}
