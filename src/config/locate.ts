/** Finds the places of problems that only show after validation: in lowering, on the host, in the kernel. */
import { type ErrorPlace, TsrunError } from '../errors.ts';
import { findValue } from './read/find-value.ts';
import { placeOf } from './read/pointer.ts';
import { offsetOf, type SpecSource } from './validate/places.ts';

/** A document that holds part of a config, as `exec --process` and `update --resources` read it. */
export interface PartSource extends SpecSource {
  /** JSON pointer of where the document belongs in a config; `` for a whole config. */
  readonly base?: string;
}

/** Gives an error about a property its place in the text. Any other error stays as it is. */
export function withPlace(error: unknown, source: PartSource): unknown {
  if (error instanceof TsrunError && error.pointer !== undefined) {
    error.place ??= placeOfProperty(error.pointer, source);
  }
  return error;
}

/** Runs an action and returns its result. An error that it throws gets its place. */
export function placing<T>(source: PartSource, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw withPlace(error, source);
  }
}

/** Whether two documents have the same value there. If so, a place in one also stands for what the other has. */
export function isSameAt(pointer: string, a: unknown, b: unknown): boolean {
  return JSON.stringify(valueAt(a, pointer)) === JSON.stringify(valueAt(b, pointer));
}

function valueAt(value: unknown, pointer: string): unknown {
  const names = pointer.split('/').slice(1);
  return names.reduce<unknown>((at, name) => {
    return (at as Record<string, unknown> | undefined | null)?.[name.replaceAll('~1', '/').replaceAll('~0', '~')];
  }, value);
}

/** `config.json:12:7: ` before a message about a property; empty if the property is not in the text. */
export function placePrefix(pointer: string, source: PartSource): string {
  const place = placeOfProperty(pointer, source);
  return place === undefined ? '' : `${place.path}:${place.line}:${place.column}: `;
}

/** The place of the property, or of the nearest object around it; undefined if the text has neither. */
export function placeOfProperty(pointer: string, { text, path, base = '' }: PartSource): ErrorPlace | undefined {
  if (pointer === '' || (pointer !== base && !pointer.startsWith(`${base}/`))) return undefined;
  const offset = offsetOf(pointer.slice(base.length), (at) => findValue(text, at));
  return { path, text, ...placeOf(text, offset) };
}
