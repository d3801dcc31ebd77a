/** Finds the places of problems that only show after validation: in lowering, on the host, in the kernel. */
import { type ErrorPlace, TsrunError } from '../errors.ts';
import { type ObjectSchema, type Schema, Spec as specSchema } from '../generated/schema-tables.ts';
import { findValue } from './read/find-value.ts';
import { namesIn, placeOf } from './read/pointer.ts';
import { offsetOf, type SpecSource } from './validate/places.ts';

/** A document that holds part of a config, as `exec --process` and `update --resources` read it. */
export interface PartSource extends SpecSource {
  /** JSON pointer of where the document belongs in a config; `` for a whole config. */
  readonly base?: string;
}

/**
 * Gives an error about a property its place in the text, and the pointer that leads there. Any other error stays as it
 * is.
 */
export function withPlace(error: unknown, source: PartSource): unknown {
  if (!(error instanceof TsrunError) || error.pointer === undefined || error.place !== undefined) return error;
  error.place = placeOfProperty(error.pointer, source);
  if (error.place !== undefined && source.base) {
    error.renamePointers(pointerIn(error.pointer, source), (text) => textIn(text, source));
  }
  return error;
}

/** What a finding says, with the pointers of the document and not of the config that it is a part of. */
export function findingIn<Finding extends Said>(finding: Finding, source: PartSource): Finding {
  if (!source.base) return finding;
  const { pointer, message, hint } = finding;
  const said = (text: string | undefined) => text && textIn(text, source);
  return {
    ...finding,
    pointer: pointerIn(pointer, source),
    message: textIn(message, source),
    ...(hint && { hint: typeof hint === 'function' ? () => said(hint()) : said(hint) }),
  };
}

interface Said {
  readonly pointer: string;
  readonly message: string;
  readonly hint?: string | (() => string | undefined) | undefined;
}

function pointerIn(pointer: string, { base = '' }: PartSource): string {
  return pointer === base || pointer.startsWith(`${base}/`) ? pointer.slice(base.length) : pointer;
}

/** Leaves quoted values alone, and paths that only look like the pointer of a property. */
function textIn(text: string, { base = '' }: PartSource): string {
  const { properties } = schemaAt(namesIn(base)) as ObjectSchema;
  const pointer = new RegExp(`(^|[\\s(])${base}/(?=(?:${Object.keys(properties).join('|')})\\b)`, 'g');
  const parts = text.split(/("(?:[^"\\]|\\.)*")/);
  return parts.map((part, index) => (index % 2 === 1 ? part : part.replace(pointer, '$1/'))).join('');
}

/** The schema of a config's part; `at` holds names of properties only. */
export function schemaAt(at: readonly string[]): Schema {
  return at.reduce<Schema>((schema, name) => (schema as ObjectSchema).properties[name] as Schema, specSchema);
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
  return namesIn(pointer).reduce<unknown>(
    (at, name) => (at as Record<string, unknown> | undefined | null)?.[name],
    value,
  );
}

/** The place of the property, or of the nearest object around it; undefined if the text has neither. */
export function placeOfProperty(pointer: string, { text, path, base = '' }: PartSource): ErrorPlace | undefined {
  if (pointer === '' || (pointer !== base && !pointer.startsWith(`${base}/`))) return undefined;
  const offset = offsetOf(pointer.slice(base.length), (at) => findValue(text, at));
  return { path, text, ...placeOf(text, offset) };
}
