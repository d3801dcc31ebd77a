/** Random changes of JSON, the same ones in every run. */

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };
/** A number from 0 to below 1. */
export type Random = () => number;

/** Mulberry32: a small generator that is good enough to pick test cases. */
export function seededRandom(seed: number): Random {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function pick<T>(random: Random, list: readonly T[]): T {
  return list[Math.floor(random() * list.length)] as T;
}

export interface Mutation {
  value: Json;
  /** What was changed, and where: for messages of failing tests. */
  what: string;
}

/** Types, limits of number types, near misses of enums, patterns and paths. */
const replacements: readonly Json[] = [
  null,
  true,
  'x',
  '',
  '/x',
  '0-3',
  {},
  { x: 1 },
  [],
  [1],
  ['x'],
  -1,
  0,
  1.5,
  101,
  2 ** 16,
  -(2 ** 31) - 1,
  2 ** 32,
  2 ** 63,
  -(2 ** 63),
  2 ** 64,
  1e20,
];

/** Words that are right for one enum or pattern and wrong for another. */
const words: readonly string[] = [
  'rslave',
  'paused',
  'user',
  'RLIMIT_X',
  'SCMP_ACT_LOG',
  'SCHED_RR',
  'CAP_X',
  'b',
  'p',
  '1GB',
];

/**
 * Replaces each property and item in turn by each of many values. It changes the document in place and restores it, so
 * do not keep the values.
 */
export function* replaceEach(document: Json): Generator<Mutation> {
  const count = countPlaces(document);
  for (let index = 0; index < count; index++) {
    const { parent, key, path } = placeAt(document, index);
    const old = get(parent, key);
    for (const replacement of [...replacements, ...words, 511, 512]) {
      set(parent, key, replacement);
      yield { value: document, what: `${path} is ${JSON.stringify(replacement)}` };
    }
    set(parent, key, old);
  }
}

/** A copy with one change: a property or item dropped, replaced, altered, repeated or added. */
export function mutate(value: Json, random: Random): Mutation {
  return mutateInPlace(copyOf(value), random);
}

/** The same, but changes the value itself. */
export function mutateInPlace(copy: Json, random: Random): Mutation {
  const { parent, key, path } = placeAt(copy, Math.floor(random() * countPlaces(copy)));
  const old = get(parent, key);
  switch (Math.floor(random() * 5)) {
    case 0:
      if (Array.isArray(parent)) parent.splice(Number(key), 1);
      else delete parent[key];
      return { value: copy, what: `${path} removed` };
    case 1:
      set(parent, key, copyOf(pick(random, replacements)));
      return { value: copy, what: `${path} is ${JSON.stringify(get(parent, key))}` };
    case 2:
      if (typeof old === 'string')
        set(parent, key, pick(random, [old.toLowerCase(), `${old}X`, old.slice(1), `${old}\n`]));
      else if (typeof old === 'number') set(parent, key, pick(random, [-old, old + 1, old + 0.5, old * 2 ** 40]));
      return { value: copy, what: `${path} altered to ${JSON.stringify(get(parent, key))}` };
    case 3:
      set(parent, key, Array.isArray(old) ? [...old, ...(copyOf(old) as Json[])] : [old]);
      return { value: copy, what: `${path} repeated or wrapped` };
    default:
      if (Array.isArray(parent)) parent.push(copyOf(pick(random, replacements)));
      else parent[`${key}x`] = copyOf(pick(random, replacements));
      return { value: copy, what: `added beside ${path}` };
  }
}

interface Place {
  parent: Json[] | { [name: string]: Json };
  key: string;
  path: string;
}

/** The number of properties and items at all depths. */
function countPlaces(value: Json): number {
  if (typeof value !== 'object' || value === null) return 0;
  let count = 0;
  for (const key in value) count += 1 + countPlaces(get(value, key));
  return count;
}

/** The place with this number; each comes before those inside it. */
function placeAt(value: Json, index: number, path = ''): Place {
  let left = index;
  for (const key in value as Place['parent']) {
    const parent = value as Place['parent'];
    if (left === 0) return { parent, key, path: `${path}/${key}` };
    const inside = countPlaces(get(parent, key));
    if (left <= inside) return placeAt(get(parent, key), left - 1, `${path}/${key}`);
    left -= 1 + inside;
  }
  throw new RangeError(`no place ${index} in ${path}`);
}

/** Takes a third of the time of structuredClone. */
function copyOf(value: Json): Json {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(copyOf);
  const copy: { [name: string]: Json } = {};
  for (const key of Object.keys(value)) copy[key] = copyOf(value[key] as Json);
  return copy;
}

function get(parent: Place['parent'], key: string): Json {
  return (parent as Record<string, Json>)[key] as Json;
}

function set(parent: Place['parent'], key: string, value: Json): void {
  (parent as Record<string, Json>)[key] = value;
}
