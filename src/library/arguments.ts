/**
 * Checks what callers pass, which JavaScript does not: a name that is wrong would be a limit that is silently missing.
 */
import { asTsrunError, TsrunError } from '../errors.ts';
import { didYouMean } from '../suggest.ts';

type Check = readonly [expected: string, is: (value: unknown) => boolean];

const isText = (value: unknown) => typeof value === 'string' && !value.includes('\0');
const isObject = (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value);

/** What an option may be; undefined is always as if it were not there. */
export const may = {
  text: ['a string without a NUL byte', isText],
  flag: ['true or false', (value) => typeof value === 'boolean'],
  number: ['a number', (value) => typeof value === 'number'],
  texts: ['a list of strings', (value) => Array.isArray(value) && value.every(isText)],
  numbers: ['a list of descriptors', (value) => Array.isArray(value) && value.every(Number.isInteger)],
  list: ['a list', Array.isArray],
  object: ['an object', isObject],
  textOrNumber: ['a string or a number', (value) => isText(value) || typeof value === 'number'],
  bytes: ['a string or a Uint8Array', (value) => typeof value === 'string' || value instanceof Uint8Array],
  signal: ['an AbortSignal', (value) => value instanceof AbortSignal],
  variables: ['an object with strings', (value) => isObject(value) && Object.values(value as object).every(isVariable)],
  stdio: ['pipe, inherit, ignore, a descriptor, or a list of these', isStdio],
} satisfies Record<string, Check>;

export function oneOf(...choices: readonly string[]): Check {
  return [choices.join(' or '), (value) => choices.includes(value as string)];
}

function isVariable(value: unknown): boolean {
  return value === undefined || isText(value);
}

function isStdio(value: unknown): boolean {
  if (Array.isArray(value)) return value.every((each) => each === undefined || (!Array.isArray(each) && isStdio(each)));
  return ['pipe', 'inherit', 'ignore'].includes(value as string) || (Number.isInteger(value) && (value as number) >= 0);
}

/** Each option that there is, and what it may be. */
export type Shape<Options> = { readonly [Name in keyof Required<Options>]: Check };

/** @throws TsrunError `EINVALIDARG` that names the option */
export function checkOptions<Options extends object>(options: Options, shape: Shape<Options>, place = ''): void {
  if (!isObject(options)) throw invalidArgument(`${place || 'options'}: expected an object`);
  for (const [name, value] of Object.entries(options)) {
    const check = Object.hasOwn(shape, name) ? (shape as Record<string, Check>)[name] : undefined;
    if (check === undefined) {
      const hint = didYouMean(name, Object.keys(shape)) ?? `the options are ${Object.keys(shape).sort().join(', ')}`;
      throw invalidArgument(`${place}${name}: there is no such option`, hint);
    }
    if (value !== undefined) checkArgument(`${place}${name}`, value, check);
  }
}

/** @throws TsrunError `EINVALIDARG` that names the argument */
export function checkArgument(name: string, value: unknown, [expected, is]: Check): void {
  if (!is(value)) throw invalidArgument(`${name}: expected ${expected}`);
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
