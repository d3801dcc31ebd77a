/** The engine's short ways for arrays, properties and calls (scripts/lib/quickjs-*.mjs) do what Node's engine does. */
import t from 'tap';
import { noEngine, sameAsNode } from './engine.ts';

/** Functions that return what they see; each begins with the prototypes as they are. */
const cases = [
  // Going over arrays that change, end early, have holes or another iterator.
  'const a = [1, 2, 3], seen = []; for (const x of a) { seen.push(x); if (x < 3) a.push(x * 10); } return seen;',
  'const a = [1, 2, 3, 4], seen = []; for (const x of a) { seen.push(x); a.length = 2; } return seen;',
  'const a = [1, , 3]; a.length = 5; return [[...a], a.map((x) => x), a.filter(() => true), Object.keys(a)];',
  'const a = []; a[3] = 1; const seen = []; for (const x of a) seen.push(x); return seen;',
  'const a = [1, 2]; a[Symbol.iterator] = function* () { yield 7; }; return [[...a], Math.max(...a)];',
  'class A extends Array { *[Symbol.iterator]() { yield 8; } } return [[...A.of(1, 2)], A.of(1).map((x) => x).constructor.name];',
  'const [a, , b = 5, ...c] = [1, 2, undefined, 3, 4]; return [a, b, c];',
  'const i = [1, 2, 3][Symbol.iterator](); const seen = []; for (const x of i) { seen.push(x); break; } return [seen, [...i], i.next()];',
  'const seen = []; for (const [i, x] of ["a", "b"].entries()) seen.push(i, x); return [seen, [...["a", "b"].keys()]];',
  'const seen = []; for (const x of "aé😀") seen.push(x); for (const x of new Set([1, 2])) seen.push(x); for (const [k, v] of new Map([[1, 2]])) seen.push(k, v); return seen;',
  'function* g() { try { yield 1; yield 2; } finally { log.push("closed"); } } const log = []; for (const x of g()) { log.push(x); break; } return log;',
  'const seen = []; try { for (const x of 5) seen.push(x); } catch (e) { seen.push(e.constructor.name); } try { [...{}]; } catch (e) { seen.push(e.constructor.name); } return seen;',
  'const log = []; const next = Object.getPrototypeOf([][Symbol.iterator]()).next; Object.getPrototypeOf([][Symbol.iterator]()).next = function () { log.push("next"); return next.call(this); }; try { for (const x of [1]) log.push(x); log.push([...[2, 3]]); } finally { Object.getPrototypeOf([][Symbol.iterator]()).next = next; } return log;',
  'const values = Array.prototype[Symbol.iterator]; Array.prototype[Symbol.iterator] = function* () { yield "own"; }; try { const s = []; for (const x of [1]) s.push(x); return [s.length, s[0], [...[1, 2]].length]; } finally { Array.prototype[Symbol.iterator] = values; }',
  'const a = [1, 2]; return [[...a, ...a, 3, ...[], ...a].join(), [0, ...a, , ...a].length, ((...r) => r)(...a, ...a)];',
  'Array.prototype[1] = "proto"; try { const a = [1, , 3]; return [[...a], a.map((x) => x), a.some((x) => x === "proto")]; } finally { delete Array.prototype[1]; }',
  'const f = Object.freeze([1, 2]); return [[...f], f.map((x) => x + 1), f.filter((x) => x > 1), Object.isFrozen(f.map(String))];',
  // map, filter, some, every, and what they make.
  'return [[1, 2, 3].map((x, i, a) => x * i + a.length), [3, 4].filter((x, i) => i), [1].some((x) => x > 1), [].every(() => false), [1, 2].every((x) => x)];',
  'const a = [1, 2, 3]; return [a.map((x) => { a.pop(); return x; }), a.filter((x) => { a.push(x); return a.length < 9; }), a];',
  'const a = [1, 2, 3]; const m = a.map(String); m.push("4"); m[6] = "7"; return [m, m.length, Object.keys(m)];',
  'const a = [1, 2]; a.constructor = { [Symbol.species]: function (n) { this.n = n; } }; const m = a.map((x) => x); return [m.n, m[0], m[1], Array.isArray(m)];',
  'const a = [1]; a.constructor = undefined; return a.map((x) => x);',
  'const species = Object.getOwnPropertyDescriptor(Array, Symbol.species); Object.defineProperty(Array, Symbol.species, { value: Object, configurable: true }); try { return [Array.isArray([1].map((x) => x))]; } finally { Object.defineProperty(Array, Symbol.species, species); }',
  'const c = Array.prototype.constructor; Array.prototype.constructor = Object; try { return [Array.isArray([1].filter(() => true))]; } finally { Array.prototype.constructor = c; }',
  'return [Array.prototype.map.call("ab", (x) => x + x), Array.prototype.filter.call({ length: 2, 0: 1, 1: 2 }, (x) => x > 1), Array.from({ length: 3 }, (_, i) => i)];',
  'return [[[1, [2]], [3]].flatMap((x) => x), [1, 2].flatMap((x) => [x, [x]]), [3, 1, 2].sort(), [1, 2].concat([3], 4), [1, 2].includes(2)];',
  'const seen = []; try { [1, 2].map((x) => { seen.push(x); throw new RangeError(); }); } catch (e) { seen.push(e.constructor.name); } return seen;',
  'const a = []; for (let i = 0; i < 40; i++) { a.push(i); a.unshift(-i); } a.splice(3, 5); return a;',
  // Keys, values and entries, and their order.
  'const o = { b: 1, a: 2 }; return [Object.keys(o), Object.values(o), Object.entries(o)];',
  'const o = { b: 1, 2: "two", a: 2, 0: "zero", "01": 5, 4294967295: 6, 4294967294: 7 }; return [Object.keys(o), Object.values(o), Object.entries(o)];',
  'const o = { get a() { return this.b; }, b: 2, [Symbol("s")]: 3 }; Object.defineProperty(o, "h", { value: 4 }); return [Object.keys(o), Object.values(o), Object.entries(o)];',
  'const o = { a: 1, b: 2, c: 3 }; delete o.b; o.d = 4; o.b = 5; return [Object.keys(o), Object.values(o), { ...o, a: 9 }];',
  'const o = Object.create({ inherited: 1 }, { own: { value: 1, enumerable: true } }); const seen = []; for (const k in o) seen.push(k); return [Object.keys(o), seen];',
  'const p = new Proxy({ a: 1, b: 2 }, { ownKeys: () => ["b", "a"] }); return [Object.keys(p), Object.values(p), Object.keys("ab"), Object.entries([5])];',
  'const o = { é: 1, "☃": 2, "": 3, "9z": 4 }; return [Object.keys(o), Object.fromEntries(Object.entries(o))];',
  // Properties of arrays, texts and functions; comparing; calling.
  'const a = [1, 2]; a.extra = 3; Array.prototype.late = 4; try { return [a.extra, a.late, a.missing, a["0"], a[7], a.length, a.join("-")]; } finally { delete Array.prototype.late; }',
  'String.prototype.shout = function () { return this + "!"; }; try { return ["a".shout(), "abc".length, "abc"[1], "abc".missing, "abc".at(-1), "x".constructor.name]; } finally { delete String.prototype.shout; }',
  'Object.defineProperty(String.prototype, "got", { get() { return typeof this; }, configurable: true }); try { return ["a".got, "a".slice(0).got]; } finally { delete String.prototype.got; }',
  'const s = "ab", r = "a" + "b"; return [s === r, s === "ac", s === "abc", s !== r, "é" === "\\u00e9", "☃" === "\\u2603", "a" === new String("a"), ("x".repeat(600) + "y") === ("x".repeat(600) + "y"), 1 === "1", NaN === NaN, 0 === -0];',
  'function f(a, b) { return [f.name, f.length, this === undefined, arguments.length]; } const g = (x = 1, ...r) => r.length; return [f(1), f.call(undefined, 1, 2, 3), g.name, g.length, g(1, 2, 3), f.apply(undefined, [1]), (() => {}).name];',
  'class A { static n = 1; #p = 2; get p() { return this.#p; } set p(v) { this.#p = v; } m() { return super.toString === Object.prototype.toString; } } const a = new A(); a.p = 5; return [a.p, a.m(), A.name, A.n, A.length, Object.keys(a)];',
  'const seen = []; const call = (f) => { try { seen.push(f()); } catch (e) { seen.push(e.constructor.name); } }; call(() => undefined.x); call(() => null.f()); call(() => [].nothing()); call(() => "a".nothing()); call(() => Symbol() + ""); call(() => Map()); call(() => parseInt("7")); call(() => [1].map()); call(() => new Date(NaN).toISOString()); return seen;',
  'return [typeof 1, typeof "", typeof undefined, typeof null, typeof {}, typeof (() => 1), typeof Symbol(), typeof 1n, typeof [].map];',
  'const o = {}; for (let i = 0; i < 30; i++) o["k" + i] = i; const p = { ...o }; delete p.k3; return [Object.keys(p).length, p.k29, "k3" in p, o.k3];',
  'const f = () => {}; f.extra = 1; Object.defineProperty(f, "name", { value: "named" }); return [f.name, f.extra, Object.keys(f), Object.getOwnPropertyNames(f)];',
];

t.test('arrays, properties and calls', { skip: noEngine }, async (t) => {
  const functions = cases.map((body) => `() => {${body}}`).join(',\n');
  // undefined and -0 are no JSON.
  const show = `(_key, value) => value === undefined ? 'undefined' : Object.is(value, -0) ? '-0' : value`;
  sameAsNode(
    t,
    `const results = [${functions}].map((run) => { try { return JSON.stringify(run(), ${show}); } catch (e) { return String(e.constructor.name); } });`,
    'all',
  );
});
