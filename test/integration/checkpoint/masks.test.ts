/** Masked paths after a restore: they hide as much as before. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { Checkpoints, type Witness, witness } from '../../harness/checkpointed.ts';
import { criuForTests } from '../../harness/criu.ts';
import { type Bundle, requires, type Spec, sandbox } from '../../harness/index.ts';

t.setTimeout(30 * 60 * 1000);
const criu = await criuForTests();
const skip = requires({ runtime: 'tsrun' }) || criu.skip;

const masked = ['/proc/acpi', '/proc/interrupts', '/sys/firmware', '/secret', '/link'];

/** With a directory of the image's, and a link to another one, among the masked paths. */
function maskedBundle(at: Checkpoints, edit?: (spec: Spec) => void): Bundle {
  const bundle = at.bundle((spec) => {
    spec.linux.maskedPaths = masked;
    edit?.(spec);
  });
  for (const name of ['secret', 'linked']) {
    mkdirSync(join(bundle.rootfs, name));
    writeFileSync(join(bundle.rootfs, name, 'file'), 'secret');
  }
  symlinkSync('linked', join(bundle.rootfs, 'link'));
  return bundle;
}

/** What a process of the container sees at the masked paths, and how the mounts there are mounted. */
async function masksIn({ box }: Checkpoints, id: string): Promise<string> {
  const script = `
    for path in ${masked.join(' ')}; do
      echo "$path: $(find $path/ 2>/dev/null | wc -l) $(cat $path $path/file 2>/dev/null)"
      (echo x > $path/new) 2>&1 | sed 's/.*: //'
    done
    sed -n 's/^\\S* \\S* \\S* \\(\\S* \\(\\/proc\\/acpi\\|\\/proc\\/interrupts\\|\\/sys\\/firmware\\|\\/secret\\|\\/linked\\) .*\\)/\\1/p' /proc/self/mountinfo | sort`;
  const { stdout } = await box.runtimeOk(['exec', id, '/bin/sh', '-c', script]);
  // In a user namespace, their root directory now belongs to the host's root.
  return stdout.replaceAll(/,[ug]id=\d+/g, '');
}

async function staysMasked(t: Test, at: Checkpoints, bundle: Bundle, prepare = (_images: string) => {}): Promise<void> {
  let id = await at.start(bundle);
  const before = await masksIn(at, id);
  t.match(before, /^\/secret: 1 \nRead-only file system\n\/link: 1 \nRead-only file system$/m);
  t.match(before, / \/linked ro,nosuid,nodev,noexec,relatime - tmpfs tmpfs/);
  for (const round of ['first', 'second']) {
    await at.checkpoint(id, [], at.images(round));
    prepare(at.images(round));
    const saved = witness(bundle) as Witness;
    id = await at.restore(bundle, [], at.images(round));
    await at.goesOn(bundle, saved);
    t.equal(await masksIn(at, id), before, `after the ${round} restore`);
    t.equal(await at.box.runtimeOk(['list', '--quiet']).then(({ stdout }) => stdout), `${id}\n`);
  }
  const tars = readdirSync(at.images('second')).filter((name) => name.startsWith('tmpfs-'));
  t.equal(tars.length, 2, 'CRIU has saved /dev and /dev/shm, and no mask');
}

t.test('masked directories and files are empty and read-only again, twice', { skip }, async (t) => {
  const at = new Checkpoints(sandbox(t), criu);
  await staysMasked(t, at, maskedBundle(at));
});

t.test('what a program has mounted over a mask is saved', { skip }, async (t) => {
  const at = new Checkpoints(sandbox(t), criu);
  const bundle = maskedBundle(at, (spec) => {
    delete spec.linux.seccomp;
  });
  const id = await at.start(bundle);
  const inside = async (name: string, script: string) =>
    (await at.box.runtimeOk(['exec', '--cap', 'CAP_SYS_ADMIN', name, '/bin/sh', '-ec', script])).stdout;
  // One covers the mask, the other takes its place with all of its options.
  await inside(id, 'mount -t tmpfs over /secret; echo kept > /secret/file');
  await inside(id, 'umount /linked; mount -t tmpfs instead /linked; echo stays > /linked/file');
  await inside(id, 'mount -o remount,bind,ro,nosuid,nodev,noexec /linked');
  await at.checkpoint(id);
  const saved = witness(bundle) as Witness;
  const restored = await at.restore(bundle);
  await at.goesOn(bundle, saved);
  t.equal(await inside(restored, 'cat /secret/file /linked/file'), 'kept\nstays\n');
  t.equal(await inside(restored, 'umount /secret; find /secret/'), '/secret/\n', 'below it, there is the mask');
  t.equal(readFileSync(join(bundle.rootfs, 'secret/file'), 'utf8'), 'secret');
});

t.test('in a user namespace, too', { skip }, async (t) => {
  const at = new Checkpoints(sandbox(t), criu);
  const bundle = maskedBundle(at, (spec) => {
    const mapping = { containerID: 0, hostID: 100_000, size: 65_536 };
    Object.assign(spec.linux, { uidMappings: [mapping], gidMappings: [mapping] });
    spec.linux.namespaces.push({ type: 'user' });
  });
  execFileSync('chown', ['-R', '100000:100000', bundle.rootfs]);
  // CRIU opens images, and the files that are its output, as the container's root.
  const before = process.umask(0);
  t.teardown(() => process.umask(before));
  await staysMasked(t, at, bundle, (images) => execFileSync('chmod', ['-R', 'a+rX', images, at.box.directory]));
});
