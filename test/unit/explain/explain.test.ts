import t from 'tap';
import { validateSpec } from '../../../src/config/validate/validate.ts';
import type { TsrunError } from '../../../src/errors.ts';
import { explained, explanation } from '../../../src/explain/explain.ts';
import { opDocs, properties } from '../../../src/generated/explain.ts';
import type { Spec } from '../../../src/generated/spec.ts';
import { v1OnlyProperties } from '../../../src/lower/limits/v1-only.ts';
import { styles } from '../../../src/style.ts';
import { everything } from '../lower/everything.ts';

const patternsIn = (text: string) => explained(text).properties.map(({ pattern }) => pattern);
const textOf = (text: string) => explanation(explained(text), styles(false));

function hintOf(text: string): string | undefined {
  try {
    explained(text);
    return undefined;
  } catch (error) {
    return (error as TsrunError).hint;
  }
}

t.test('every property has a meaning, an op that carries it out, a kernel, and an example', async (t) => {
  t.ok(properties.length > 200);
  for (const { pattern, description, ops, note, linux, example } of properties) {
    t.ok(description.length > 5, `${pattern} has a meaning`);
    t.ok(example, `${pattern} has an example`);
    t.ok((ops ?? []).every((op) => op in opDocs));
    t.ok(note?.includes('cgroup v1') || linux.startsWith('5.') || /^\d/.test(linux), `${pattern} has a kernel`);
    t.same(patternsIn(pattern.replaceAll('*', '0')), [pattern]);
  }
});

/** A config with the example and all that it may need. */
function withExample([pointer, value]: readonly [string, unknown]): unknown {
  const spec = everything() as unknown as Record<string, unknown>;
  const names = pointer
    .split('/')
    .slice(1)
    .map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'));
  const last = names.pop() ?? '';
  const holder = names.reduce((at, name) => at[name] as Record<string, unknown>, spec);
  // Other examples need these namespaces.
  const types = (value as { type?: string }[]).map?.(({ type }) => type);
  const others = (spec.linux as Spec['linux'])?.namespaces?.filter(({ type }) => !types?.includes(type));
  holder[last] = pointer === '/linux/namespaces' ? [...(others ?? []), ...(value as [])] : value;
  return spec;
}

t.test('every example is valid', async (t) => {
  for (const { pattern, example } of properties) {
    if (example === undefined || v1OnlyProperties.some((one) => pattern.startsWith(one))) continue;
    const spec = withExample(example);
    t.doesNotThrow(() => validateSpec(spec, { text: JSON.stringify(spec), path: 'c' }), pattern);
  }
});

t.test('a limit: its type, op, file, kernel and example', async (t) => {
  const text = textOf('/linux/resources/memory/limit');
  t.match(text, /^\/linux\/resources\/memory\/limit\n {2}Bytes that/);
  t.match(text, /type +integer from -9223372036854775808 to 9223372036854775807\n/);
  t.match(text, /becomes +write-cgroup-file: Write one cgroup interface file\./);
  t.match(text, /writes +memory\.max of the container’s cgroup\n/);
  t.match(text, /needs +Linux 5\.14\n/);
  t.match(text, /example\n {4}\{ "linux": \{ "resources": \{ "memory": \{ "limit": 100000000 \} \} \} \}\n/);
});

t.test('takes pointers as errors print them', async (t) => {
  t.same(patternsIn('/mounts/7/options/1'), ['/mounts/*/options']);
  t.same(patternsIn('/linux/seccomp/syscalls/0/names/12'), ['/linux/seccomp/syscalls/*/names']);
  t.same(patternsIn('/linux/sysctl/net.ipv4.ip_forward'), ['/linux/sysctl']);
  t.same(patternsIn('/process'), ['/process']);
  t.match(textOf('/process'), /has +terminal, consoleSize, cwd, /);
  t.equal(hintOf('/process/argss'), 'did you mean /process/args?');
  t.equal(hintOf('memory.limit'), 'did you mean /linux/resources/memory/limit?');
});

t.test('takes whole errors', async (t) => {
  const error =
    'time="x" level=error msg="/b/config.json:12:7: /mounts/3/options/0: new-filesystem /x: tmpfs: EINVAL (Invalid argument) (hint: y)"';
  const found = explained(error);
  t.same(
    found.properties.map(({ pattern }) => pattern),
    ['/mounts/*/options'],
  );
  t.same(found.ops, ['new-filesystem']);
  t.match(found.errnos, [{ name: 'EINVAL' }]);
  t.same(patternsIn('error: exec: "nginx": executable file not found in $PATH'), ['/process/args']);
  t.match(textOf('container does not exist'), /--root/);
  t.match(textOf('EPERM'), /Operation not permitted/);
  t.match(textOf('pivot-root'), /an operation of the plan/);
  t.throws(() => explained('what?'), { message: 'nothing is known of "what?"' });
});
