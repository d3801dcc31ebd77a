/** Random configs: each is refused with an error or becomes a plan, and the bytes for init say the same as the plan. */
import { closeSync, readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import t from 'tap';
import { addon } from '../../src/addon.ts';
import { maxDepth, parseSpecText } from '../../src/config/read/parse.ts';
import { validateSpec } from '../../src/config/validate/validate.ts';
import { TsrunError } from '../../src/errors.ts';
import { lower } from '../../src/lower/create-plan.ts';
import { requires } from '../harness/index.ts';
import { isJson } from '../unit/config/read/is-json.ts';
import { capableHost } from '../unit/lower/host.ts';
import { blob, decodePlan, expectedOps, slot } from './decode.ts';
import { Random, rounds } from './random.ts';
import { configOf, damaged } from './values.ts';

const skip = requires({ files: ['build/Release/tsrun.node'] });

/** The result of the step; undefined for a refusal. Throws any other failure. */
function unlessRefused<T>(step: () => T): T | undefined {
  try {
    return step();
  } catch (error) {
    if (error instanceof TsrunError) return undefined;
    throw error;
  }
}

/** What hasPlainKeys must return: whether no object has a name twice or with a backslash, or is nested too deep. */
function hasPlainKeys(text: string): boolean {
  let keys = 0;
  for (const [, name = '', colon] of text.matchAll(/"((?:[^"\\]|\\.)*)"(\s*:)?/gs)) {
    if (colon === undefined) continue;
    if (name.includes('\\')) return false;
    keys++;
  }
  return keysOf(JSON.parse(text), 0) === keys;
}

function keysOf(value: unknown, depth: number): number {
  if (typeof value !== 'object' || value === null) return 0;
  if (depth === maxDepth) return Number.NaN;
  const inner = Object.values(value).reduce((sum: number, item) => sum + keysOf(item, depth + 1), 0);
  return inner + (Array.isArray(value) ? 0 : Object.keys(value).length);
}

t.test('texts', { skip }, async (t) => {
  let accepted = 0;
  const count = rounds(1500);
  for (let round = 0; round < count; round++) {
    const random = new Random(round);
    const text = damaged(JSON.stringify(configOf(random), null, random.below(3)), random);
    const value = unlessRefused(() => parseSpecText(text, 'config.json'));
    if (value !== undefined) accepted++;
    if (isJson(text) && addon().hasPlainKeys(text, maxDepth) !== hasPlainKeys(text)) t.fail(`round ${round}: ${text}`);
    // For text that is not JSON any answer is right, but it must give one.
    addon().hasPlainKeys(text, maxDepth);
  }
  t.ok(accepted > count / 10 && accepted < count, `${accepted} of ${count} are accepted`);
});

t.test('plans', { skip }, async (t) => {
  let accepted = 0;
  const count = rounds(1500);
  const slots = new Proxy({}, { get: () => slot });
  const blobs = new Proxy({}, { get: () => blob });
  for (let round = 0; round < count; round++) {
    const random = new Random(round);
    const text = JSON.stringify(configOf(random));
    const plan = unlessRefused(() => {
      const { spec } = validateSpec(parseSpecText(text, 'config.json'), { text, path: 'config.json' });
      return lower(spec, capableHost({}), { id: 'c1', bundle: '/bundle' });
    });
    if (plan === undefined) continue;
    accepted++;
    const fd = addon().memfd('fuzz', 0);
    addon().writePlan(fd, plan.ops, slots, blobs, -1);
    const bytes = readFileSync(`/proc/self/fd/${fd}`);
    closeSync(fd);
    const [found, wanted] = [decodePlan(bytes), expectedOps(plan.ops)];
    if (!isDeepStrictEqual(found, wanted)) t.strictSame(found, wanted, `round ${round}: ${text}`);
  }
  t.ok(accepted > count / 10 && accepted < count, `${accepted} of ${count} are accepted`);
});
