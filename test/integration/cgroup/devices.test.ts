/** linux.resources.devices, as programs in the container see it. */
import t, { type Test } from 'tap';
import { requires, type Spec, sandbox, says } from '../../harness/index.ts';

type DeviceRules = NonNullable<NonNullable<Spec['linux']['resources']>['devices']>;

const needs = requires({ root: true, cgroup2: true, deviceFilter: true });

/**
 * Lets the program make nodes, so that only the filter keeps it from the device. The device is kmsg, 1:11, which
 * anybody may open for writing; reading takes more.
 */
function mayMakeNodes(spec: Spec): void {
  spec.process.noNewPrivileges = false;
  for (const set of ['bounding', 'effective', 'permitted'] as const) {
    spec.process.capabilities = { ...spec.process.capabilities };
    spec.process.capabilities[set] = [...(spec.process.capabilities[set] ?? []), 'CAP_MKNOD'];
  }
}

t.test('a device that no rule allows cannot be opened, though its node can be made', { skip: needs }, async (t) => {
  const output = await sandbox(t).outputOf('mknod /dev/k c 1 11 && ls /dev/k; (: > /dev/k) 2>&1; true', mayMakeNodes);
  t.match(output, /^\/dev\/k\n.*Operation not permitted/);
});

/** The ways of opening the device that these rules allow. */
function openings(t: Test, devices: DeviceRules): Promise<string> {
  const script = 'mknod /dev/k c 1 11; (: > /dev/k) && echo write; (: <> /dev/k) 2>/dev/null && echo both; true';
  return sandbox(t).outputOf(script, (spec) => {
    mayMakeNodes(spec);
    spec.linux.resources = { devices };
  });
}

t.test('a rule allows the accesses that it names', { skip: needs }, async (t) => {
  const output = await openings(t, [
    { allow: false, access: 'rwm' },
    { allow: true, type: 'c', major: 1, minor: 11, access: 'w' },
  ]);
  t.equal(output, 'write\n');
});

const growing = requires({ differs: { crun: 'has the verifier follow each rule', runc: 'takes seconds for it' } });

t.test('ten thousand rules that cannot be merged', { skip: needs || growing }, async (t) => {
  const others = Array.from({ length: 10_000 }, (_, minor) => ({
    allow: true,
    type: 'c' as const,
    major: 10,
    minor,
    access: minor % 2 === 0 ? 'r' : 'rw',
  }));
  const output = await openings(t, [
    { allow: false, access: 'rwm' },
    ...others.slice(0, 5000),
    { allow: true, type: 'c', major: 1, minor: 11, access: 'w' },
    ...others.slice(5000),
  ]);
  t.equal(output, 'write\n');
});

const wholeAccess = 'applies a rule only to an open all of whose access it names';
const needsBits = requires({ differs: { crun: wholeAccess, runc: wholeAccess } });

t.test('rules apply in order: the last one decides', { skip: needs || needsBits }, async (t) => {
  const output = await openings(t, [
    { allow: true, access: 'rwm' },
    { allow: false, type: 'c', major: 1, minor: 11, access: 'r' },
  ]);
  t.equal(output, 'write\n');
});

const namesAccess = requires({ differs: { crun: 'takes it for no access', runc: 'refuses it' } });

t.test('a rule without access is about every access', { skip: needs || namesAccess }, async (t) => {
  const output = await sandbox(t).outputOf('mknod /dev/k c 1 11; (: > /dev/k) && echo write; true', (spec) => {
    mayMakeNodes(spec);
    spec.linux.resources = { devices: [{ allow: false }, { allow: true, type: 'c', major: 1, minor: 11 }] };
  });
  t.equal(output, 'write\n');
});

t.test('the default devices stay usable under a rule that denies all', { skip: needs }, async (t) => {
  const output = await sandbox(t).outputOf(
    'echo x > /dev/null && for d in zero urandom full random; do head -c 1 /dev/$d | wc -c; done; : <> /dev/ptmx && echo pty',
    (spec) => {
      spec.linux.resources = { devices: [{ allow: false, access: 'rwm' }] };
    },
  );
  t.equal(output, '1\n1\n1\n1\npty\n');
});

const noFilter = requires({ differs: { crun: 'loads no filter when there is no rule' } });

t.test('without any rule there still is a filter', { skip: needs || noFilter }, async (t) => {
  const output = await sandbox(t).outputOf('mknod /dev/k c 1 11; (: > /dev/k) 2>&1; true', (spec) => {
    mayMakeNodes(spec);
    delete spec.linux.resources;
  });
  t.match(output, /Operation not permitted/);
});

const anyNumber = 'takes a negative number for every device';
const refusesIt = requires({ differs: { crun: anyNumber, runc: anyNumber } });

t.test('a number that no device has is an error that names it', { skip: needs || refusesIt }, async (t) => {
  const { code, stderr } = await sandbox(t).runContainer('true', (spec) => {
    spec.linux.resources = { devices: [{ allow: true, type: 'c', major: -7, access: 'r' }] };
  });
  t.equal(code, 1);
  says(t, stderr, /linux[./]resources[./]devices\[?.?0\]?[./]major/);
});
