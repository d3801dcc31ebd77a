/** Random configurations: a right one with changes, and values of the schema's types. */

import { type Schema, Spec as specSchema } from '../../src/generated/schema-tables.ts';
import { everythingPossible } from '../unit/lower/everything.ts';
import type { Random } from './random.ts';

const strings = [
  ...[
    '',
    '/',
    '.',
    '..',
    '/dev',
    '/dev/',
    '/proc',
    '/proc/self',
    '/sys',
    '/m',
    'm/../n',
    '//a//b',
    '/a\nb',
    'a=b',
    '=',
  ],
  ...[
    'tmpfs',
    'proc',
    'bind',
    'ro',
    'rbind',
    'remount',
    'idmap',
    'tmpcopyup',
    'copy-symlink',
    'size=1',
    'ridmap=uids=0-1-2',
    'rshared',
  ],
  ...['CAP_CHOWN', 'cap', '0-3', '0,1', '18446744073709551615', '-1', '1.3.0', '*', 'memory.high', 'é😀', '__proto__'],
  ...[
    'constructor',
    'a'.repeat(5000),
    'net.core.somaxconn',
    'kernel.msgmax',
    '%d',
    'eth0',
    'MB:0=1',
    'L3:0=f',
    'read',
    'ioctl',
  ],
];

const numbers = [
  0,
  1,
  2,
  3,
  255,
  4095,
  65_535,
  2 ** 31,
  2 ** 32 - 1,
  2 ** 32,
  2 ** 53,
  2 ** 63,
  2 ** 64,
  -1,
  -(2 ** 31),
  0.5,
  1e300,
];

function anyValue(random: Random): unknown {
  return random.pick([null, true, 0, '', [], {}, [[]], { a: 1 }, 'x', -1]);
}

/** A value that fits the schema; sometimes one of another type. */
export function randomValue(schema: Schema, random: Random): unknown {
  if (random.once(60)) return anyValue(random);
  switch (schema.kind) {
    case 'object': {
      const names = Object.keys(schema.properties).filter((name) => schema.required.includes(name) || random.once(3));
      return Object.fromEntries(names.map((name) => [name, randomValue(schema.properties[name] as Schema, random)]));
    }
    case 'map': {
      const { values } = schema;
      const names = Array.from({ length: random.below(3) }, () => random.pick(strings));
      return Object.fromEntries(names.map((name) => [name, values === undefined ? 1 : randomValue(values, random)]));
    }
    case 'array':
      return Array.from({ length: random.below(4) }, () => randomValue(schema.items, random));
    case 'integer': {
      const fitting = numbers.filter((n) => Number.isInteger(n) && n >= schema.minimum && n <= schema.maximum);
      return random.once(10) || fitting.length === 0 ? random.pick(numbers) : random.pick(fitting);
    }
    case 'string':
      return random.pick(strings);
    case 'boolean':
      return random.once(2);
    case 'enum':
      return random.pick(schema.values);
  }
}

interface Place {
  parent: Record<string, unknown>;
  name: string;
  schema: Schema;
}

/** All places whose value could be replaced or left out. */
function placesIn(schema: Schema, value: unknown): Place[] {
  if (typeof value !== 'object' || value === null) return [];
  const parent = value as Record<string, unknown>;
  return Object.keys(parent).flatMap((name) => {
    const inner = innerSchema(schema, name);
    return inner === undefined ? [] : [{ parent, name, schema: inner }, ...placesIn(inner, parent[name])];
  });
}

function innerSchema(schema: Schema, name: string): Schema | undefined {
  if (schema.kind === 'array') return schema.items;
  if (schema.kind === 'map') return schema.values;
  return schema.kind === 'object' ? schema.properties[name] : undefined;
}

/** A right configuration with up to four changes. */
export function configOf(random: Random): unknown {
  const spec: unknown = structuredClone(everythingPossible());
  for (let i = random.below(5); i > 0; i--) {
    const { parent, name, schema } = random.pick(placesIn(specSchema, spec));
    if (Array.isArray(parent) && random.once(3)) parent.push(structuredClone(parent[Number(name)]));
    else if (!Array.isArray(parent) && random.once(4)) delete parent[name];
    else parent[name] = randomValue(schema, random);
  }
  return spec;
}

/** The text with a few characters changed, added or removed. */
export function damaged(text: string, random: Random): string {
  const pieces = [
    '"',
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '\\',
    '\\u0000',
    '\\ud83d',
    '\\"',
    '0',
    '-',
    'e',
    ' ',
    '\n',
    '/*',
    '"a":',
    '\0',
    'é',
  ];
  let damaged = text;
  for (let i = random.below(4); i > 0; i--) {
    const at = random.below(damaged.length + 1);
    const length = random.once(2) ? 0 : random.below(20);
    const piece = random.once(3)
      ? damaged.slice(random.below(damaged.length), random.below(damaged.length))
      : random.pick(pieces);
    damaged = damaged.slice(0, at) + piece + damaged.slice(at + length);
  }
  return damaged;
}
