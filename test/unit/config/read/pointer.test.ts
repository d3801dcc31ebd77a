import t from 'tap';
import { PlaceFinder, placeOf } from '../../../../src/config/read/pointer.ts';

const text = '{\n  "a": "ü😀",\r\n\n\t"b": [1, 2,\n3]}\n';

/** By definition: lines end with \n, columns count characters. */
function expected(offset: number): { line: number; column: number } {
  const lines = text.slice(0, offset).split('\n');
  return { line: lines.length, column: [...(lines.at(-1) ?? '')].length + 1 };
}

/** All offsets but the one between the two halves of a character. */
const offsets = Array.from({ length: text.length + 1 }, (_, offset) => offset).filter(
  (offset) => offset !== text.indexOf('😀') + 1,
);

t.test('an offset’s line and column', async (t) => {
  for (const offset of offsets) t.strictSame(placeOf(text, offset), expected(offset), `offset ${offset}`);
});

t.test('counting from one offset to the next, in steps of any length', async (t) => {
  for (const step of [1, 2, 3, 7, 20]) {
    const places = new PlaceFinder(text);
    for (const offset of offsets.filter((_, index) => index % step === 0)) {
      t.strictSame(places.at(offset), expected(offset), `offset ${offset}`);
      t.strictSame(places.at(offset), expected(offset), `offset ${offset} once more`);
    }
  }
});
