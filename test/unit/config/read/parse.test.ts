import t from 'tap';
import { maxDepth, parseSpecText } from '../../../../src/config/read/parse.ts';
import { TsrunError } from '../../../../src/errors.ts';

const file = 'config.json';

/** The text of a file, and the error. */
const refused: [what: string, text: string, message: string][] = [
  ['empty', '', 'config.json:1:1: the file is empty'],
  ['only white space', ' \n ', 'config.json:2:2: the file is empty'],
  ['cut off in an object', '{\n  "a": {"b": 1', 'config.json:2:8: this { is never closed; the file may be cut off'],
  ['cut off after a comma', '[1,', 'config.json:1:1: this [ is never closed; the file may be cut off'],
  ['cut off in a string', '{"a": "bc', 'config.json:1:7: this string never ends; the file may be cut off'],
  ['cut off in an escape', '{"a": "b\\', 'config.json:1:9: \\ is not an escape of JSON'],
  ['a comma too many in an object', '{"a": 1,\n}', 'config.json:2:1: a comma before } is not allowed in JSON'],
  ['a comma too many in an array', '[1, ]', 'config.json:1:5: a comma before ] is not allowed in JSON'],
  ['a comma missing', '{"a": 1\n "b": 2}', 'config.json:2:2: expected a comma or }, found "\\""'],
  ['a colon missing', '{"a" 1}', 'config.json:1:6: expected a colon after the property name, found "1"'],
  ['a name without quotes', '{a: 1}', 'config.json:1:2: expected a property name in double quotes, found "a"'],
  ['single quotes', "{'a': 1}", 'config.json:1:2: JSON needs double quotes instead of single ones'],
  ['a comment', '{\n// x\n"a": 1}', 'config.json:2:1: comments are not allowed in JSON'],
  ['a comment after a value', '{"a": 1 /* x */}', 'config.json:1:9: comments are not allowed in JSON'],
  ['a Python literal', '{"a": True}', 'config.json:1:7: expected a value, found "True"; did you mean true?'],
  ['an octal number', '{"umask": 0022}', 'config.json:1:11: JSON has no octal numbers; 0022 is 18 in decimal'],
  ['a hexadecimal number', '[0xff]', 'config.json:1:2: JSON has no hexadecimal numbers; write it in decimal'],
  ['a number that is none', '[-x]', 'config.json:1:2: "-x" is not a number'],
  ['an unknown escape', '["a\\d"]', 'config.json:1:4: \\d is not an escape of JSON'],
  ['a line break in a string', '["a\nb"]', 'config.json:1:4: a line break inside a string'],
  ['a raw NUL', '["a\0b"]', 'config.json:1:4: a control character inside a string'],
  ['more after the end', '{} x', 'config.json:1:4: unexpected "x" after the end of the document'],
  ['the wrong bracket', '[1}', 'config.json:1:3: expected a comma or ], found "}"'],
  ['a byte order mark', '\ufeff{}', 'config.json:1:1: the file begins with a byte order mark'],
  ['columns count characters', '["😀ü", x]', 'config.json:1:8: expected a value, found "x"'],
  [
    'a property twice',
    '{\n "a": {"b": 1,\n  "c": "d", "b": 2}}',
    'config.json:3:13: /a/b: given a second time, first at config.json:2:8',
  ],
  [
    'two properties twice',
    '{"a": 1, "a": 2, "b": 1, "b": 1}',
    'config.json:1:10: /a: given a second time, first at config.json:1:2\n' +
      'config.json:1:26: /b: given a second time, first at config.json:1:18',
  ],
  [
    'a property twice in two spellings',
    '{"a/b": 1, "\\u0061/b": 2}',
    'config.json:1:12: /a~1b: given a second time, first at config.json:1:2',
  ],
  [
    'a property twice named as one of the prototype',
    '{"__proto__": 1, "__proto__": 2}',
    'config.json:1:18: /__proto__: given a second time, first at config.json:1:2',
  ],
  ['an escaped NUL', '{"a": ["b\\u0000"]}', 'config.json:1:8: /a/0: the string contains a NUL character (\\u0000)'],
  [
    'an escaped NUL in a name',
    '{"a": {"\\u0000": 1}}',
    'config.json:1:8: /a/\0: the name contains a NUL character (\\u0000)',
  ],
  [
    'half a surrogate pair',
    '{"a": "\\ud83d"}',
    'config.json:1:7: /a: the string contains half of a surrogate pair, which has no UTF-8',
  ],
];

for (const [what, text, message] of refused) {
  t.test(`refused: ${what}`, async (t) => {
    t.equal(messageFor(text), message);
  });
}

/** Right texts that look like the wrong ones above. */
const accepted: [what: string, text: string][] = [
  ['equal names in different objects', '{"a": {"b": 1}, "b": {"a": 1}}'],
  ['a string with quotes and a colon', '{"a": "\\"b\\": 1, \\"b\\": 2"}'],
  ['a string that ends with a backslash', '{"a": "b\\\\", "c": "d\\\\\\""}'],
  ['a backslash before u0000', '{"a": "\\\\u0000"}'],
  ['a whole surrogate pair', '{"a": "\\ud83d\\ude00"}'],
  ['a replacement character', '{"a": "\ufffd"}'],
  ['an empty name', '{"": {"": 1}}'],
  ['white space before a colon', '{"a" \r\n\t : 1}'],
  ['numbers of all forms', '[0, -0.5e+10, 18446744073709551615, 1E2]'],
];

for (const [what, text] of accepted) {
  t.test(`accepted: ${what}`, async (t) => {
    t.strictSame(parseSpecText(text, file), JSON.parse(text));
  });
}

t.test('nesting is accepted up to the limit and refused beyond', async (t) => {
  const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
  t.equal(messageFor(nested(maxDepth)), undefined);
  t.equal(messageFor(nested(maxDepth + 1)), `config.json:1:${maxDepth + 1}: nested deeper than ${maxDepth} levels`);
  t.equal(messageFor(nested(1_000_000)), `config.json:1:${maxDepth + 1}: nested deeper than ${maxDepth} levels`);
  t.equal(
    messageFor('{"a":'.repeat(1_000_000)),
    `config.json:1:${5 * maxDepth + 1}: nested deeper than ${maxDepth} levels`,
  );
});

/** `{"aNNN": 0, …}` with these many names. */
function manyNames(count: number): string {
  return `{${Array.from({ length: count }, (_, index) => `"a${index}": 0`).join(', ')}}`;
}

t.test('names are limited before the engine has to keep them all apart', async (t) => {
  t.equal(messageFor(manyNames(9000)), undefined);
  const refusal = 'config.json: has too many properties: 10001 with 10001 different names so far';
  t.equal(messageFor(manyNames(100_000)), refusal);
  t.equal(messageFor(`${manyNames(100_000).slice(0, -1)},`), refusal, 'also where the text is no JSON');
  // Looking a repeated name up costs the more, the more different names there are.
  const repeated = `[${manyNames(2000)}${', {"a1": 0}'.repeat(60_000)}]`;
  t.match(messageFor(repeated), /^config.json: has too many properties: \d+ with 2000 different names/);
  t.equal(messageFor(`[${'{"a": {"b": 0}},'.repeat(60_000)} 0]`), undefined, 'large for its few names');
});

t.test('of many mistakes of one kind the first are reported', async (t) => {
  const twice = messageFor(`{"a": 0${', "a": 0'.repeat(50)}}`)?.split('\n') ?? [];
  t.equal(twice.length, 21);
  t.equal(twice[20], 'and 30 more');
  const halves = messageFor(`[${Array(50).fill('"\\ud800"').join()}]`)?.split('\n') ?? [];
  t.equal(halves.length, 21);
  t.equal(halves[20], 'and 30 more');
});

function messageFor(text: string): string | undefined {
  try {
    parseSpecText(text, file);
    return undefined;
  } catch (error) {
    if (!(error instanceof TsrunError)) throw error;
    return error.message;
  }
}
