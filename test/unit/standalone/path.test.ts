/** Our node:path must do what Node's does. */
import node from 'node:path';
import t from 'tap';
import ours from '../../../src/standalone/path.ts';

/** All texts of up to `length` characters of this alphabet. */
function texts(alphabet: string, length: number): string[] {
  if (length === 0) return [''];
  const shorter = texts(alphabet, length - 1);
  const longest = shorter.filter((text) => text.length === length - 1);
  return [...shorter, ...longest.flatMap((text) => [...alphabet].map((character) => text + character))];
}

/** The differences, in words. */
function differences(name: keyof typeof ours & keyof typeof node, calls: readonly (readonly string[])[]): string[] {
  const result = (path: object, args: readonly string[]) =>
    Reflect.apply(Reflect.get(path, name), path, args) as unknown;
  return calls.flatMap((args) => {
    const [got, wanted] = [result(ours, args), result(node, args)];
    return got === wanted
      ? []
      : [`${name}(${args.map((arg) => JSON.stringify(arg)).join(', ')}) is ${got}, not ${wanted}`];
  });
}

t.test('of one path', async (t) => {
  const calls = texts('/.ab', 6).map((path) => [path]);
  for (const name of ['normalize', 'dirname', 'basename', 'extname', 'isAbsolute', 'resolve'] as const)
    t.strictSame(differences(name, calls), [], name);
});

t.test('of two paths', async (t) => {
  const paths = texts('/.a', 4);
  const calls = paths.flatMap((first) => paths.map((second) => [first, second]));
  for (const name of ['join', 'resolve', 'relative', 'basename'] as const)
    t.strictSame(differences(name, calls), [], name);
});
