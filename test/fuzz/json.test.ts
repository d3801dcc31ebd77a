/** The engine's JSON, whose short ways are ours (scripts/lib/quickjs-json.mjs), does what Node's does. */
import t from 'tap';
import { noEngine, sameAsNode } from './engine.ts';
import { Random, rounds, seed } from './random.ts';

/** Values as JavaScript, each with something that JSON.stringify treats in its own way. */
const unusual = [
  '{ b: 1, 10: 2, a: 3, 2: 4, "-1": 5, "01": 6 }',
  '{ u: undefined, f() {}, s: Symbol(), n: null, [Symbol("x")]: 1 }',
  '[undefined, function () {}, Symbol(), null, NaN, Infinity, -0, 1e21, 0.1, -5, 2 ** 40]',
  '{ toJSON(key) { return "key " + key; } }',
  '[{ a: { toJSON(key) { return [key]; } } }]',
  '{ a: new Date(0), b: new String("s"), c: new Number(3), d: Object(true), e: new Map([[1, 2]]) }',
  '{ get a() { return 5; }, b: 1 }',
  'Object.defineProperty({ a: 1 }, "hidden", { value: 2 })',
  'Object.create({ inherited: 1 })',
  'Object.create({ toJSON: () => "inherited" })',
  'Object.assign(Object.create(null), { a: 1 })',
  'Object.assign([1, , 3], { extra: 1 })',
  'new Array(3)',
  'new Proxy({ a: 1 }, {})',
  'new Proxy([1, 2], {})',
  'new (class extends Array {})(1, 2, 3)',
  'new Uint8Array(2)',
  '(() => { const o = { a: 1, b: 2, c: 3 }; delete o.b; o.d = 4; return o; })()',
  '(() => { const o = {}; o.o = o; return o; })()',
  '(() => { const a = [1]; a.length = 4; return a; })()',
  '(() => { let o = 1; for (let i = 0; i < 70; i++) o = i % 2 ? [o] : { o }; return o; })()',
  '[1n]',
  '{ long: "x".repeat(700) + "\\n".repeat(700), wide: "é".repeat(700) + "☃" }',
  '["\\u0000\\u001f\\u007f\\u0080ÿ\\"\\\\/\\b\\f\\n\\r\\t", "\\ud800", "\\udc00 \\ud83d\\ude00"]',
  '{ "": 0, "ÿ": 1, "☃": 2, "\\"": 3, __proto__: null, ["__proto__"]: 4 }',
];

/** Texts that are none, or nearly none. */
const texts = [
  ...['', ' ', '1 ', '\t[1]\r\n', '[1,]', '{"a":1,}', '{,}', '[', '{', '"', '"a', '{"a"', '{"a":', '{"a":1', 'nul'],
  ...['truex', 'nullnull', '01', '-01', '-', '-0', '1.', '.5', '1e', '1e5', '1E+2', '123456789', '1234567890', '-7'],
  ...['9007199254740993', '1e400', '[1 2]', '{"a" 1}', "{'a':1}", '{a:1}', '"\\x"', '"\\u12"', '"\\u00e9\\ud83d"'],
  ...['"a\nb"', '"\u0000"', '\u0000', '[1]\u0000', '\ufeff1', '\u00a01', '[1]x', '{"a":1,"a":2,"b":3}', '{"é":1}'],
  ...['{"__proto__":1}', '{"1":1,"0":2,"a":3}', '"é☃😀"', '{"a\\u0062":1}', '/**/1', '[1]//', 'NaN', '+1', '[tru]'],
  `${'['.repeat(80)}${']'.repeat(80)}`,
];

/** The same source runs in both: texts are parsed and printed again, values are printed. */
const results = (all: readonly string[]) => `
  const outcome = (make) => { try { return String(make()); } catch (error) { return error.constructor.name; } };
  const print = (value) => [undefined, 2, '--', '☃'].map((gap) => outcome(() => JSON.stringify(value, null, gap))).join('|');
  const results = [
    ...${JSON.stringify(all)}.map((text) => outcome(() => print(JSON.parse(text)))),
    ${unusual.map((value) => `print(${value})`).join(',\n')},
  ];
  Object.prototype.toJSON = function () { return 'own ' + typeof this; };
  results.push(print({ a: [1] }));
  delete Object.prototype.toJSON;
  Array.prototype.toJSON = () => 'array';
  results.push(print({ a: [1] }));
  delete Array.prototype.toJSON;`;

t.test('unusual values and texts', { skip: noEngine }, async (t) => sameAsNode(t, results(texts), 'all'));

t.test('random texts', { skip: noEngine }, async (t) => {
  // The engine's memory is fixed before it has made its snapshot.
  const atOnce = 500;
  for (let from = 0; from < rounds(1000); from += atOnce)
    sameAsNode(t, results(randomTexts(from, atOnce)), `seed ${seed}, from ${from}`);
});

function randomTexts(from: number, count: number): string[] {
  return Array.from({ length: count }, (_each, round) => {
    const random = new Random(from + round);
    const text = JSON.stringify(randomValue(random, 4), null, random.below(4));
    return random.once(3) ? damaged(random, text) : text;
  });
}

function randomValue(random: Random, depth: number): unknown {
  const kind = random.below(depth > 0 ? 9 : 6);
  if (kind < 2) return randomString(random);
  if (kind === 2) return random.pick([true, false, null]);
  if (kind < 5) return random.pick([0, -1, 0.5, 1e300, random.below(2 ** 31), random.below(100), -random.below(1e6)]);
  if (kind === 5) return randomString(random).slice(0, 1);
  const length = random.below(6);
  if (kind === 6) return Array.from({ length }, () => randomValue(random, depth - 1));
  return Object.fromEntries(
    Array.from({ length }, () => [
      random.once(8) ? String(random.below(20)) : randomString(random),
      randomValue(random, depth - 1),
    ]),
  );
}

function randomString(random: Random): string {
  const characters = ['a', 'b', '/', ' ', '"', '\\', '\n', '\u0001', 'é', '☃', '😀', '0', '{'];
  return Array.from({ length: random.below(12) }, () =>
    random.once(3) ? random.pick(characters) : random.pick(['a', 'b', 'c']),
  ).join('');
}

function damaged(random: Random, text: string): string {
  const at = random.below(text.length + 1);
  const put = random.pick(['', '"', ',', ':', '}', ']', '[', '\\', ' ', '1', '\u0000', 'e', '\u001f', 'é']);
  return text.slice(0, at) + put + text.slice(at + random.below(3));
}
