/** Puts schema errors into words. It only has work to do when a configuration is wrong. */
import type { IntegerSchema, ObjectSchema, Schema } from '../../generated/schema-tables.ts';
import { didYouMean, nearest } from '../../suggest.ts';
import { appendPointer } from '../read/pointer.ts';
import { type Problem, show } from './finding.ts';
import type { SchemaError } from './schema.ts';

/** The most words of an enum that are all listed beside a hint. */
const maxListed = 8;

export function describeSchemaError({ path, schema, value, missing }: SchemaError): Problem {
  const pointer = path.reduce<string>(appendPointer, '');
  if (missing !== undefined) {
    const message = `required property ${JSON.stringify(missing)} is missing`;
    const hint = misspelt(missing, schema as ObjectSchema, value as object) ?? addition(missing);
    return { pointer, message, hint };
  }
  const hint = suggestion(schema, value);
  return { pointer, message: `${expected(schema, value, hint !== undefined)}, found ${show(value)}`, hint };
}

/** A property that the schema does not know and that looks like the missing one. */
function misspelt(missing: string, schema: ObjectSchema, value: object): string | undefined {
  const unknown = Object.keys(value).filter((name) => !Object.hasOwn(schema.properties, name));
  const name = nearest(missing, unknown);
  return name === undefined ? undefined : `is ${JSON.stringify(name)} misspelt?`;
}

/** A long list of words is left out if a hint has the right one. */
function expected(schema: Schema, value: unknown, hasHint: boolean): string {
  switch (schema.kind) {
    case 'object':
    case 'map':
      return 'must be an object';
    case 'array':
      return Array.isArray(value) ? 'must not be empty' : 'must be an array';
    case 'boolean':
      return 'must be true or false';
    case 'integer':
      return `must be ${integerRange(schema)}`;
    case 'enum':
      if (hasHint && schema.values.length > maxListed) return `must be one of ${schema.values.length} known values`;
      // The empty word stands for no value.
      return `must be one of ${schema.values.filter(Boolean).join(', ')}`;
    case 'string':
      return typeof value === 'string' ? `must match ${schema.pattern?.source}` : 'must be a string';
  }
}

function integerRange({ minimum, maximum }: IntegerSchema): string {
  if (maximum !== Number.POSITIVE_INFINITY) return `an integer from ${bound(minimum)} to ${bound(maximum)}`;
  return minimum === Number.NEGATIVE_INFINITY ? 'an integer' : `an integer of at least ${minimum}`;
}

/** The limits of 64 bits do not fit a double: JSON.parse and the tables round them up by one. */
function bound(limit: number): string {
  if (limit === 2 ** 64) return '18446744073709551615';
  if (limit === 2 ** 63) return '9223372036854775807';
  return BigInt(limit).toString();
}

/** What to write for a required property that is missing. */
const additions: Readonly<Record<string, string>> = {
  ociVersion: '"1.0.2"',
  root: '{"path": "rootfs"}',
  cwd: '"/"',
  args: '["sh"]',
  destination: '"/data"',
  defaultAction: '"SCMP_ACT_ALLOW"',
  names: '["mkdir"]',
  action: '"SCMP_ACT_ERRNO"',
};

function addition(missing: string): string {
  const name = JSON.stringify(missing);
  return Object.hasOwn(additions, missing) ? `add it, such as ${name}: ${additions[missing]}` : `add ${name}`;
}

/** Descriptions of the patterns in schemas/. */
const patternWords: Readonly<Record<string, string>> = {
  '^[1-9][0-9]*[KMG]B$': 'such as 64KB, 2MB or 1GB',
  '^[rwm]*$': 'r for read, w for write, m for mknod',
};

/** Other words that people write for SCMP_ACT_ERRNO. */
const denial = /^(SCMP_ACT_)?(DENY|DENIED|BLOCK|REJECT|REFUSE|FORBID|EPERM)$/i;

function meantWord(value: string, words: readonly string[]): string | undefined {
  // A device's type is one letter (config-linux.md, Devices).
  const letter = words.includes('c') && words.includes('b') && words.find((word) => value.startsWith(word));
  if (letter) return `did you mean ${JSON.stringify(letter)}?`;
  const isAction = words.includes('SCMP_ACT_ERRNO');
  return isAction && denial.test(value) ? 'did you mean "SCMP_ACT_ERRNO"?' : didYouMean(value, words);
}

function suggestion(schema: Schema, value: unknown): string | undefined {
  switch (schema.kind) {
    case 'enum':
      return typeof value === 'string' ? meantWord(value, schema.values) : undefined;
    case 'integer':
      return typeof value === 'string' ? quotedNumber(schema, value) : undefined;
    case 'boolean':
      return value === 'true' || value === 'false' ? `did you mean ${value} without quotes?` : undefined;
    case 'string':
      if (typeof value === 'string') return patternWords[schema.pattern?.source ?? ''];
      return typeof value === 'number' || typeof value === 'boolean' ? `did you mean "${value}"?` : undefined;
    case 'array':
      if (Array.isArray(value)) return undefined;
      return typeof value === 'string' ? `did you mean [${show(value)}]?` : 'write it as a list: [ … ]';
    default:
      return undefined;
  }
}

function quotedNumber({ minimum, maximum }: IntegerSchema, text: string): string | undefined {
  const isOctal = /^0o?[0-7]+$/.test(text);
  const number = isOctal ? Number.parseInt(text.replace('0o', ''), 8) : Number(text);
  if (text.trim() === '' || !Number.isInteger(number) || number < minimum || number > maximum) return undefined;
  return `did you mean the number ${number}${isOctal && number > 7 ? `, which is octal ${text}` : ''}?`;
}
