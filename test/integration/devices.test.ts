/** linux.resources.devices, as programs inside the container feel it. */
import t from 'tap';
import { requires, type Spec, sandbox } from '../harness/index.ts';

const needs = requires({ root: true, cgroup2: true, deviceFilter: true });
const tsrunNeeds = requires({ root: true, cgroup2: true, runtime: 'tsrun' });

/**
 * Lets the program make nodes, so that only the filter stands between it and the device. The device is kmsg, 1:11, which
 * anybody may open for writing; for reading it wants more.
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

t.test('a rule opens a device for what it names', { skip: needs }, async (t) => {
  const output = await sandbox(t).outputOf(
    'mknod /dev/k c 1 11; (: > /dev/k) && echo write; (: <> /dev/k) 2>/dev/null && echo both; true',
    (spec) => {
      mayMakeNodes(spec);
      spec.linux.resources = {
        devices: [
          { allow: false, access: 'rwm' },
          { allow: true, type: 'c', major: 1, minor: 11, access: 'w' },
        ],
      };
    },
  );
  t.equal(output, 'write\n');
});

t.test('rules hold in their order: the last one decides', { skip: tsrunNeeds }, async (t) => {
  const output = await sandbox(t).outputOf(
    'mknod /dev/k c 1 11; (: > /dev/k) && echo write; (: <> /dev/k) 2>/dev/null && echo both; true',
    (spec) => {
      mayMakeNodes(spec);
      spec.linux.resources = {
        devices: [{ allow: true }, { allow: false, type: 'c', major: 1, minor: 11, access: 'r' }],
      };
    },
  );
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

t.test('without any rule the filter is there all the same', { skip: needs }, async (t) => {
  const output = await sandbox(t).outputOf('mknod /dev/k c 1 11; (: > /dev/k) 2>&1; true', (spec) => {
    mayMakeNodes(spec);
    delete spec.linux.resources;
  });
  t.match(output, /Operation not permitted/);
});

t.test('a number that no device has is an error that names it', { skip: tsrunNeeds }, async (t) => {
  const { code, stderr } = await sandbox(t).runContainer('true', (spec) => {
    spec.linux.resources = { devices: [{ allow: true, type: 'c', major: -7 }] };
  });
  t.equal(code, 1);
  t.match(stderr, /linux[./]resources[./]devices\[?.?0\]?[./]major/);
});
