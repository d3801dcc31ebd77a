/** Labels of security modules at restore: --lsm-profile, --lsm-mount-context. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { Checkpoints, type Witness, witness } from '../../harness/checkpointed.ts';
import { criuForTests } from '../../harness/criu.ts';
import { requires, sandbox } from '../../harness/index.ts';

t.setTimeout(30 * 60 * 1000);
const criu = await criuForTests();
const skip = requires({ runtime: 'tsrun' }) || criu.skip;
const needsAppArmor = skip || requires({ lsm: 'apparmor', commands: ['apparmor_parser'] });

/** Loads a profile that allows everything; unloads it at the end of the test. */
function loadProfile(t: Test, name: string): void {
  const text = `profile ${name} flags=(attach_disconnected,mediate_deleted) {
    file, capability, network, mount, umount, pivot_root, signal, ptrace, unix,
  }\n`;
  const parse = (action: string) => spawnSync('apparmor_parser', [action], { input: text, encoding: 'utf8' });
  const { status, stderr } = parse('--replace');
  if (status !== 0) throw new Error(`apparmor_parser: ${stderr}`);
  t.teardown(() => parse('--remove'));
}

t.test('a profile of AppArmor is kept, and --lsm-profile gives another one', { skip: needsAppArmor }, async (t) => {
  const names = ['tsrun-test-saved', 'tsrun-test-other'];
  for (const name of names) loadProfile(t, name);
  const at = new Checkpoints(sandbox(t), criu);
  const bundle = at.bundle((spec) => {
    spec.process.apparmorProfile = 'tsrun-test-saved';
  });
  let id = await at.start(bundle);
  for (const [name, flags] of [
    ['tsrun-test-saved', []],
    ['tsrun-test-other', ['--lsm-profile', 'apparmor:tsrun-test-other']],
  ] as const) {
    await at.checkpoint(id, [], at.images(name));
    const saved = witness(bundle) as Witness;
    id = await at.restore(bundle, [...flags], at.images(name));
    await at.goesOn(bundle, saved);
    const { stdout } = await at.box.runtimeOk(['exec', id, 'cat', '/proc/1/attr/current']);
    t.equal(stdout, `${name} (enforce)\n`);
  }
});

const hasSelinux = existsSync('/sys/fs/selinux/enforce');
t.test(
  'without SELinux its labels are refused, and a context for mounts is not',
  { skip: skip || (hasSelinux && 'has SELinux') },
  async (t) => {
    const at = new Checkpoints(sandbox(t), criu);
    const bundle = at.bundle((spec) => {
      spec.mounts.push({ destination: '/tmp', type: 'tmpfs', source: 'tmpfs' });
    });
    await at.checkpoint(await at.start(bundle));
    const saved = witness(bundle) as Witness;
    const where = ['--image-path', at.images(), '--bundle', bundle.directory];
    const outputFiles = join(at.box.directory, 'restore');
    for (const [profile, reason] of [
      ['selinux:system_u:system_r:container_t:s0', 'selinux LSM specified but selinux not supported by kernel'],
      ['container', 'invalid argument container for --lsm-profile'],
    ] as const) {
      const line = ['restore', '--detach', ...where, '--lsm-profile', profile, at.box.newId()];
      const { code, stderr } = await at.runtime(line, { outputFiles });
      t.equal(code, 1);
      t.match(stderr, `cannot restore the container: criu: ${reason}`);
    }
    // CRIU changes the context of mounts that were saved with one: here there are none.
    await at.restore(bundle, ['--lsm-mount-context', 'system_u:object_r:container_file_t:s0']);
    await at.goesOn(bundle, saved);
  },
);
