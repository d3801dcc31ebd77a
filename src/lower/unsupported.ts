import { TsrunError } from '../errors.ts';
import type { Context } from './context.ts';

/**
 * Linux properties that tsrun does not carry out yet. One of them in a config is an error: no property is silently
 * ignored. A test walks the schema and fails on any property that lowering neither reads nor lists here.
 */
export const unsupportedProperties: readonly string[] = [];

export function refuseUnsupported(context: Context): void {
  for (const pointer of unsupportedProperties) {
    if (!isSet(context.spec, pointer)) continue;
    throw new TsrunError(`${pointer}: not supported by tsrun yet`, { hint: 'remove the property to go on without it' });
  }
}

function isSet(value: unknown, pointer: string): boolean {
  let at: unknown = value;
  for (const name of pointer.split('/').slice(1)) {
    if (typeof at !== 'object' || at === null) return false;
    at = (at as Record<string, unknown>)[name];
  }
  return at !== undefined;
}
