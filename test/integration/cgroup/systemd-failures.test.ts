/** --systemd-cgroup where D-Bus, libsystemd or systemd itself fails: the error says so, and nothing is left. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type Result, requires, run, runtimePath, type Sandbox, type Spec, sandbox } from '../../harness/index.ts';

// Only in the VM, which has this user, may files of the machine be hidden.
const skip = requires({ root: true, runtime: 'tsrun', files: ['/run/systemd/system', '/home/user'] });

const noBus = { DBUS_SYSTEM_BUS_ADDRESS: 'unix:path=/run/no-such-bus' };

function bundle(box: Sandbox, edit?: (spec: Spec) => void) {
  const name = box.newId();
  const made = box.bundle((spec) => {
    spec.process.args = ['sleep', '1000'];
    spec.linux.cgroupsPath = `machine.slice:test:${name}`;
    edit?.(spec);
  });
  return { ...made, directory: made.directory, unit: `test-${name}.scope` };
}

/** Of a container that `run` could not make nothing is left: no process, unit or state. */
async function demandNothingLeft(t: Test, box: Sandbox, unit: string): Promise<void> {
  const units = await run('systemctl', ['list-units', '--all', '--plain', '--no-legend', unit]);
  t.equal(units.stdout, '');
  t.equal((await box.runtime(['list', '--quiet'])).stdout, '');
}

t.test('no D-Bus', { skip }, async (t) => {
  const box = sandbox(t);
  const { directory, unit } = bundle(box);
  const args = ['--systemd-cgroup', 'run', '--bundle', directory, box.newId()];
  const { code, stderr } = await box.runtime(args, { env: { ...process.env, ...noBus } });
  t.equal(code, 1);
  t.match(stderr, /--systemd-cgroup: cannot reach systemd: the system’s D-Bus does not answer: ENOENT/);
  await demandNothingLeft(t, box, unit);
});

t.test('no libsystemd', { skip }, async (t) => {
  const box = sandbox(t);
  const { directory, unit } = bundle(box);
  const hide = 'for lib in /usr/lib/*/libsystemd.so.0; do mount --bind /dev/null "$lib"; done';
  const command = [runtimePath, '--root', box.root, '--systemd-cgroup', 'run', '--bundle', directory, box.newId()];
  const { code, stderr } = await run('unshare', ['--mount', 'sh', '-c', `${hide}; exec "$@"`, 'sh', ...command]);
  t.equal(code, 1);
  t.match(stderr, /--systemd-cgroup: libsystemd cannot be used here: .*libsystemd\.so\.0.*libsystemd0/);
  await demandNothingLeft(t, box, unit);
});

t.test('without libsystemd and D-Bus everything else works', { skip }, async (t) => {
  const box = sandbox(t);
  const made = box.bundle((spec) => {
    spec.process.args = ['echo', 'works'];
  });
  const hide = 'for lib in /usr/lib/*/libsystemd.so.0; do mount --bind /dev/null "$lib"; done';
  const command = [runtimePath, '--root', box.root, 'run', '--bundle', made.directory, box.newId()];
  const args = ['--mount', 'sh', '-c', `${hide}; exec "$@"`, 'sh', ...command];
  t.match(await run('unshare', args, { env: { ...process.env, ...noBus } }), {
    code: 0,
    stdout: 'works\n',
    stderr: '',
  });
});

async function refused(box: Sandbox, edit: (spec: Spec) => void): Promise<Result & { unit: string }> {
  const { directory, unit } = bundle(box, edit);
  return { ...(await box.runtime(['--systemd-cgroup', 'run', '--bundle', directory, box.newId()])), unit };
}

t.test('properties that systemd refuses', { skip }, async (t) => {
  for (const [name, value, words] of [
    ['NoSuchProperty', 'true', /StartTransientUnit .*NoSuchProperty.*does not know the property/],
    // A value of another type than systemd's.
    ['TimeoutStopUSec', "'soon'", /StartTransientUnit test-.*\.scope: /],
    ['CPUWeight', 'uint64 0999999', /StartTransientUnit test-.*\.scope: .*CPUWeight/],
  ] as const) {
    const box = sandbox(t);
    const { code, stderr, unit } = await refused(box, (spec) => {
      spec.annotations = { [`org.systemd.property.${name}`]: value };
    });
    t.equal(code, 1, name);
    t.match(stderr, words, name);
    await demandNothingLeft(t, box, unit);
  }
});

t.test('a slice that systemd refuses', { skip }, async (t) => {
  const box = sandbox(t);
  t.equal((await run('systemctl', ['mask', '--runtime', 'tsruntest.slice'])).code, 0);
  t.teardown(() => run('systemctl', ['unmask', '--runtime', 'tsruntest.slice']));
  const { code, stderr, unit } = await refused(box, (spec) => {
    spec.linux.cgroupsPath = `tsruntest.slice:test:${box.newId()}`;
  });
  t.equal(code, 1);
  t.match(stderr, /systemd: StartTransientUnit test-.*\.scope: .*(masked|dependency)/i);
  await demandNothingLeft(t, box, unit);
});

t.test('update and delete after D-Bus is gone', { skip }, async (t) => {
  const box = sandbox(t);
  const { directory, unit } = bundle(box);
  const id = box.newId();
  const options = { outputFiles: join(box.directory, 'output'), input: '' };
  await box.runtimeOk(['--systemd-cgroup', 'run', '--detach', '--bundle', directory, id], options);
  const env = { ...process.env, ...noBus };
  const update = await box.runtime(['update', '--pids-limit', '9', id], { env });
  t.equal(update.code, 1);
  t.match(update.stderr, /cannot reach systemd: the system’s D-Bus does not answer/);
  const cgroup = `/sys/fs/cgroup/machine.slice/${unit}`;
  t.equal(
    readFileSync(join(cgroup, 'pids.max'), 'utf8').trim() === '9',
    false,
    'what systemd does not know is not set',
  );
  t.match(await box.runtime(['delete', '--force', id], { env }), { code: 0 });
  t.notOk(existsSync(cgroup), 'the container is gone all the same, and its scope with its last process');
});
