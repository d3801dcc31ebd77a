import { TsrunError } from '../errors.ts';
import type { Context } from './context.ts';

/**
 * Linux properties that tsrun does not carry out yet, as JSON pointers with `*` for every array index and map name. One
 * of them in a config is an error: no property is silently ignored. A test walks the schema and fails on any property
 * that lowering neither reads nor lists here.
 */
export const unsupportedProperties: readonly string[] = [];

/** Whether the property of this pattern, and so all that lies in it, is carried out. */
export function isSupported(pattern: string): boolean {
  return !unsupportedProperties.some((entry) => entry === pattern || pattern.startsWith(`${entry}/`));
}

/** @throws TsrunError naming the first property that is set and not supported */
export function refuseUnsupported({ spec }: Context): void {
  for (const pattern of unsupportedProperties) {
    const found = findSet(spec, pattern.split('/').slice(1), '');
    if (found === undefined) continue;
    throw new TsrunError(`${found}: not supported by tsrun yet`, { hint: 'remove the property to go on without it' });
  }
}

/** Pointer of the first value the pattern matches that asks for something. */
function findSet(value: unknown, names: readonly string[], at: string): string | undefined {
  const [name, ...rest] = names;
  if (name === undefined) return isRequest(value) ? at : undefined;
  if (typeof value !== 'object' || value === null) return undefined;
  const keys = name === '*' ? Object.keys(value) : [name];
  for (const key of keys) {
    const child = (value as Record<string, unknown>)[key];
    const found = findSet(child, rest, `${at}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Engines write empty strings, lists and objects for what they do not want. */
function isRequest(value: unknown): boolean {
  if (value === undefined || value === null || value === '') return false;
  return typeof value !== 'object' || Object.keys(value).length > 0;
}
