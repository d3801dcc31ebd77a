import t from 'tap';
import { scanJson } from '../../../../src/config/read/json-scanner.ts';
import { appendPointer, parentPointer, placeOf } from '../../../../src/config/read/pointer.ts';
import { pick, type Random, seededRandom } from '../../mutate.ts';
import { isJson } from './is-json.ts';

t.test('positions of values and of names', async (t) => {
  const text = '{"a": [1, {"b/~": null}],\n "c": "d"}';
  const { values, names, duplicates, error } = scanJson(text, 10);
  t.equal(error, undefined);
  t.strictSame(duplicates, []);
  t.strictSame(Object.fromEntries(values), { '': 0, '/a': 6, '/a/0': 7, '/a/1': 10, '/a/1/b~1~0': 18, '/c': 32 });
  t.strictSame(Object.fromEntries(names), { '/a': 1, '/a/1/b~1~0': 11, '/c': 27 });
});

t.test('the scanner accepts exactly what JSON.parse accepts', async (t) => {
  const random = seededRandom(1);
  const good = '{"a": [1, -0.5e3, "b\\n\\u00e9\\\\", true, null, {}], "": {"c": [[], false]}}';
  const wrong: string[] = [];
  let refused = 0;
  for (let count = 0; count < 20_000; count++) {
    const text = damage(good, random);
    const expected = isJson(text);
    if (!expected) refused++;
    if ((scanJson(text, 100).error === undefined) !== expected) wrong.push(text);
  }
  t.strictSame(wrong, []);
  t.ok(refused > 1_000 && refused < 19_000, 'both kinds are among the texts');
});

t.test('line and column count from one, in characters', async (t) => {
  t.strictSame(placeOf('ab', 0), { line: 1, column: 1 });
  t.strictSame(placeOf('a\r\nbc', 4), { line: 2, column: 2 });
  t.strictSame(placeOf('"😀" x', 5), { line: 1, column: 5 });
});

t.test('pointers', async (t) => {
  t.equal(appendPointer('/a', 'b/c~d'), '/a/b~1c~0d');
  t.equal(appendPointer('', 0), '/0');
  t.equal(parentPointer('/a/b'), '/a');
  t.equal(parentPointer('/a'), '');
});

/** The text with one to three characters removed, repeated, or replaced by characters of JSON's syntax. */
function damage(text: string, random: Random): string {
  let damaged = text;
  for (let count = 1 + Math.floor(random() * 3); count > 0; count--) {
    const at = Math.floor(random() * damaged.length);
    const middle = pick(random, ['', damaged.slice(at, at + 1).repeat(2), ...'{}[]",:\\ \n0-.eEtu1/']);
    damaged = damaged.slice(0, at) + middle + damaged.slice(at + 1);
  }
  return damaged;
}
