import t from 'tap';
import { TsrunError } from '../../../src/errors.ts';
import { logInto } from '../../../src/log.ts';
import { busHint, hintFor, withKnownProperties } from '../../../src/systemd/manager.ts';

const property = (name: string) => ({ name, type: 's', value: '' });
const memory = [property('MemoryMax'), property('OOMPolicy'), property('MemoryZSwapWriteback')];

/** A systemd that knows only these properties. */
function knowing(...known: string[]) {
  const calls: string[][] = [];
  const use = (properties: readonly { name: string }[]) => {
    const names = properties.map(({ name }) => name);
    calls.push(names);
    const unknown = names.find((name) => !known.includes(name));
    if (unknown === undefined) return;
    const cause = Object.assign(new Error(), { code: 'org.freedesktop.DBus.Error.PropertyReadOnly' });
    const words = `Cannot set property ${unknown}, or unknown property.`;
    throw new TsrunError(`systemd: StartTransientUnit a.scope: ${words}`, { cause });
  };
  return { use, calls };
}

t.test('properties that an older systemd does not know are left out', async (t) => {
  const { use, calls } = knowing('MemoryMax');
  withKnownProperties(memory, use);
  t.strictSame(calls.at(-1), ['MemoryMax']);
});

t.test('a systemd that knows all of them is asked once', async (t) => {
  const { use, calls } = knowing('MemoryMax', 'OOMPolicy', 'MemoryZSwapWriteback');
  withKnownProperties(memory, use);
  t.equal(calls.length, 1);
});

t.test('any other unknown property is an error that names the config’s property', async (t) => {
  const { use } = knowing('MemoryMax');
  const from = '/annotations/org.systemd.property.NoSuch';
  const refused = () => withKnownProperties([property('MemoryMax'), { ...property('NoSuch'), from }], use);
  t.throws(refused, { message: /NoSuch/, pointer: from });
});

t.test('the warning names the limit', async (t) => {
  const lines: string[] = [];
  logInto('warning', (_, line) => lines.push(line));
  const from = '/linux/resources/unified/memory.oom.group';
  withKnownProperties([{ ...property('OOMPolicy'), from }], knowing().use);
  t.strictSame(lines, [
    `${from}: this systemd does not know OOMPolicy: memory.oom.group holds until the next daemon-reload`,
  ]);
});

t.test('a bus that does not answer: the hint depends on the environment', async (t) => {
  t.match(busHint(false), /leave --systemd-cgroup out/);
  t.match(busHint(true, {}), /^neither XDG_RUNTIME_DIR nor/);
  t.match(busHint(true, { XDG_RUNTIME_DIR: '/run/user/1' }), /enable-linger/);
});

t.test('a refusal: the hint depends on the user', async (t) => {
  const denied = 'org.freedesktop.DBus.Error.AccessDenied';
  t.equal(hintFor(denied, true), undefined);
  t.match(hintFor(denied, false), process.geteuid?.() === 0 ? /policy/ : /only root/);
  t.match(hintFor('org.freedesktop.systemd1.UnitExists', true), /another container/);
  t.equal(hintFor('org.freedesktop.systemd1.NoSuchUnit', true), undefined);
});
