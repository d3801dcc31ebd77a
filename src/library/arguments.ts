/**
 * Checks what callers pass, which JavaScript does not: a name that is wrong would be a limit that is silently missing.
 */
import { asTsrunError, TsrunError } from '../errors.ts';
import { didYouMean } from '../suggest.ts';

type Check = readonly [expected: string, is: (value: unknown) => boolean];

const isText = (value: unknown): value is string => typeof value === 'string' && !value.includes('\0');
const isObject = (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value);

/** What an option may be; undefined is always as if it were not there. */
export const may = {
  text: ['a string without a NUL byte', isText],
  path: ['a path, without a NUL byte', (value) => isText(value) && value !== ''],
  flag: ['true or false', (value) => typeof value === 'boolean'],
  number: ['a number', (value) => typeof value === 'number'],
  texts: ['a list of strings', (value) => Array.isArray(value) && Array.from(value).every(isText)],
  numbers: ['a list of descriptors', (value) => Array.isArray(value) && Array.from(value).every(Number.isInteger)],
  list: ['a list', Array.isArray],
  object: ['an object', isObject],
  textOrNumber: ['a string or a number', (value) => isText(value) || typeof value === 'number'],
  bytes: ['a string or a Uint8Array', (value) => typeof value === 'string' || value instanceof Uint8Array],
  signal: ['an AbortSignal', (value) => value instanceof AbortSignal],
  variables: [
    'an object with strings, by names without =',
    (value) => isObject(value) && Object.entries(value as object).every(isVariable),
  ],
  stdio: ['pipe, inherit, ignore, a descriptor, or a list of these', isStdio],
} satisfies Record<string, Check>;

export function oneOf(...choices: readonly string[]): Check {
  return [choices.join(' or '), (value) => choices.includes(value as string)];
}

function isVariable([name, value]: [string, unknown]): boolean {
  return isText(name) && name !== '' && !name.includes('=') && (value === undefined || isText(value));
}

function isStdio(value: unknown): boolean {
  if (Array.isArray(value)) return value.every((each) => each === undefined || (!Array.isArray(each) && isStdio(each)));
  return ['pipe', 'inherit', 'ignore'].includes(value as string) || (Number.isInteger(value) && (value as number) >= 0);
}

/** Each option that there is, and what it may be. */
export type Shape<Options> = { readonly [Name in keyof Required<Options>]: Check };

/**
 * @param place what the options belong to, such as `mounts[0]`
 * @returns a copy, which stays as it was checked, and takes nothing from Object.prototype
 * @throws TsrunError `EINVALIDARG` that names the option
 */
export function checkOptions<Options extends object>(options: Options, shape: Shape<Options>, place = ''): Options {
  const prefix = place === '' ? '' : `${place}.`;
  const copy = ownCopy(options, place || 'options');
  for (const [name, value] of Object.entries(copy)) {
    const check = Object.hasOwn(shape, name) ? (shape as Record<string, Check>)[name] : undefined;
    if (check === undefined) {
      const hint = didYouMean(name, Object.keys(shape)) ?? `the options are ${Object.keys(shape).sort().join(', ')}`;
      throw invalidArgument(`${prefix}${name}: there is no such option`, hint);
    }
    if (value !== undefined) checkArgument(`${prefix}${name}`, value, check);
  }
  return copy;
}

/** @throws TsrunError `EINVALIDARG` for what is no object, or has a getter that throws */
export function ownCopy<Value extends object>(value: Value, what: string): Value {
  if (!isObject(value)) throw invalidArgument(`${what}: expected an object`);
  try {
    return Object.assign(Object.create(null), value);
  } catch (error) {
    throw new TsrunError(`${what}: cannot be read: ${error}`, { code: 'EINVALIDARG', cause: error });
  }
}

/** @throws TsrunError `EINVALIDARG` that names the argument */
export function checkArgument(name: string, value: unknown, [expected, is]: Check): void {
  if (!isSafely(is, value)) throw invalidArgument(`${name}: expected ${expected}`);
}

/** A value whose parts cannot be read is none that is expected. */
function isSafely(is: Check[1], value: unknown): boolean {
  try {
    return is(value);
  } catch {
    return false;
  }
}

export function invalidArgument(text: string, hint?: string): TsrunError {
  return new TsrunError(text, { code: 'EINVALIDARG', hint });
}

/** Any error as a TsrunError; one that nobody has foreseen keeps its stack. */
export function orTsrunError(error: unknown): TsrunError {
  const known = asTsrunError(error);
  if (known !== undefined) return known;
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  const internal = new TsrunError(`internal error: ${message}`, { cause: error });
  if (stack !== undefined) internal.stack = stack;
  return internal;
}
