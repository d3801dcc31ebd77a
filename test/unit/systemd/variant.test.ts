import t from 'tap';
import { parseVariant } from '../../../src/systemd/variant.ts';

t.test('values of every type', async (t) => {
  const values: [string, string, unknown][] = [
    ["'inactive-or-failed'", 's', 'inactive-or-failed'],
    ['"it\'s"', 's', "it's"],
    ["'a\\'b'", 's', "a'b"],
    ['true', 'b', true],
    ['false', 'b', false],
    ['5', 'i', 5],
    ['-5', 'i', -5],
    ['uint64 18446744073709551615', 't', '18446744073709551615'],
    ['int64 -1', 'x', '-1'],
    ['uint32 7', 'u', 7],
    ['byte 255', 'y', 255],
    ['1.5', 'd', 1.5],
    ['double 2', 'd', 2],
    ["['a', 'b']", 'as', ['a', 'b']],
    ['[uint32 1,uint32 2]', 'au', [1, 2]],
    [' 5 ', 'i', 5],
  ];
  for (const [text, type, value] of values) t.strictSame(parseVariant(text), { type, value }, text);
});

t.test('an invalid value is an error with its place', async (t) => {
  for (const text of [
    '',
    'text',
    '5 6',
    "'open",
    '[',
    '[]',
    "['a', 5]",
    'byte 256',
    '2147483648',
    'uint32 -1',
    'uint64 1.5',
    'true1',
  ])
    t.throws(() => parseVariant(text), /^not a D-Bus value at character \d+: /, text);
});
