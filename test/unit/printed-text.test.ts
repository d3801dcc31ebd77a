/** A hostile name must do no harm to the terminal or log that shows it. */
import t from 'tap';
import { oneLine } from '../../src/errors.ts';
import { printableJson } from '../../src/json.ts';

const hostile = ['\u007f', '\u009b', '\u061c', '\u200f', '\u2028', '\u2029', '\u202e', '\u2066', '\u2069'];

t.test('messages', async (t) => {
  for (const character of ['\u001b', '\r', ...hostile]) t.equal(oneLine(`a${character}b`), 'a\uFFFDb');
  t.equal(oneLine('a\n b'), 'a; b');
  t.equal(oneLine('größe ‘x’ … 大'), 'größe ‘x’ … 大', 'other text stays');
});

t.test('JSON', async (t) => {
  for (const character of ['\u001b', ...hostile]) {
    const text = printableJson({ a: `x${character}y` });
    t.equal(text, `{"a":"x\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}y"}`);
    t.same(JSON.parse(text), { a: `x${character}y` }, 'and parses to the same value');
  }
  t.equal(printableJson({ a: 'ö大' }, 2), '{\n  "a": "ö大"\n}');
});
