/** AppArmor: the program runs under the profile that the config names, and so do processes of exec. */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { inUserNamespace, requires, sandbox } from '../../harness/index.ts';

const skip = requires({ root: true, lsm: 'apparmor', commands: ['apparmor_parser'] });

/** Loads a profile that allows everything but one file; unloads it at the end of the test. */
function loadProfile(t: Test, name: string, deniedFile: string): void {
  const text = `profile ${name} flags=(attach_disconnected,mediate_deleted) {
    file, capability, network, mount, umount, pivot_root, signal, ptrace, unix,
    deny ${deniedFile} rw,
  }\n`;
  const parse = (action: string) => spawnSync('apparmor_parser', [action], { input: text, encoding: 'utf8' });
  const { status, stderr } = parse('--replace');
  if (status !== 0) throw new Error(`apparmor_parser: ${stderr}`);
  t.teardown(() => parse('--remove'));
}

t.test('the program is confined by its profile', { skip }, async (t) => {
  loadProfile(t, 'tsrun-test-config', '/etc/secret');
  const box = sandbox(t);
  const bundle = box.bundle((spec) => {
    spec.process.args = ['/bin/sh', '-c', 'cat /proc/self/attr/current /etc/secret /etc/open'];
    spec.process.apparmorProfile = 'tsrun-test-config';
  });
  for (const name of ['secret', 'open']) writeFileSync(`${bundle.rootfs}/etc/${name}`, `${name}\n`);
  const confined = await box.runtime(['run', '--bundle', bundle.directory, box.newId()]);
  t.equal(confined.stdout, 'tsrun-test-config (enforce)\nopen\n');
  t.match(confined.stderr, /\/etc\/secret.*Permission denied/);

  bundle.edit((spec) => {
    delete spec.process.apparmorProfile;
  });
  const unconfined = await box.runtimeOk(['run', '--bundle', bundle.directory, box.newId()]);
  t.equal(unconfined.stdout, 'unconfined\nsecret\nopen\n', 'without a profile nothing is denied');
});

t.test('with no_new_privs, a user namespace and another user too', { skip }, async (t) => {
  loadProfile(t, 'tsrun-test-user', '/etc/secret');
  const { stdout } = await sandbox(t).runContainer('cat /proc/self/attr/current', (spec) => {
    spec.process.apparmorProfile = 'tsrun-test-user';
    spec.process.noNewPrivileges = true;
    spec.process.user = { uid: 1000, gid: 1000 };
    inUserNamespace(spec);
  });
  t.equal(stdout, 'tsrun-test-user (enforce)\n');
});

t.test('exec takes the profile of the config, or the one of --apparmor', { skip }, async (t) => {
  loadProfile(t, 'tsrun-test-config', '/etc/secret');
  loadProfile(t, 'tsrun-test-exec', '/etc/open');
  const box = sandbox(t);
  const bundle = box.bundle((spec) => {
    spec.process.args = ['/bin/sleep', '1000'];
    spec.process.apparmorProfile = 'tsrun-test-config';
  });
  const id = await box.createAndStart(bundle);
  const current = async (...flags: string[]) =>
    (await box.runtimeOk(['exec', ...flags, id, '/bin/cat', '/proc/self/attr/current'])).stdout;
  t.equal(await current(), 'tsrun-test-config (enforce)\n');
  t.equal(await current('--apparmor', 'tsrun-test-exec'), 'tsrun-test-exec (enforce)\n');
});

t.test('a profile that is not loaded is an error that names it, and leaves nothing', { skip }, async (t) => {
  const { code, stderr } = await sandbox(t).runContainer(['/bin/true'], (spec) => {
    spec.process.apparmorProfile = 'tsrun-test-none';
  });
  t.equal(code, 1);
  t.match(stderr, /\/?process.apparmorProfile.*tsrun-test-none/);
});
