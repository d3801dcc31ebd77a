/**
 * The mount option copy-symlink (crun(1)), which podman writes for `no-dereference`: a source that is a symbolic link
 * is copied to the destination, not followed.
 *
 * Debian's crun 1.8.1 is too old for it, and runc does not know it.
 */
import { chownSync, lstatSync, mkdirSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import {
  type Bundle,
  inUserNamespace,
  type Mount,
  requires,
  type Sandbox,
  type Spec,
  sandbox,
} from '../../harness/index.ts';

const skip = requires({ root: true, runtime: 'tsrun' });
const skipUser = requires({ root: true, userns: true, runtime: 'tsrun' });

const base = 100_000;

/** Binds `source` of the bundle to /deep/link. */
function linkMount(source: string, ...options: string[]): Mount {
  return { destination: '/deep/link', source, options: ['rbind', 'copy-symlink', ...options] };
}

function bundleWith(box: Sandbox, mounts: Mount[], script: string, edit?: (spec: Spec) => void): Bundle {
  const bundle = box.bundle((spec) => {
    spec.process.args = ['/bin/sh', '-c', script];
    spec.mounts.push(...mounts);
    edit?.(spec);
  });
  symlinkSync('../to/nowhere', join(bundle.directory, 'link'));
  writeFileSync(join(bundle.directory, 'file'), 'text\n');
  symlinkSync('file', join(bundle.directory, 'live'));
  return bundle;
}

async function run(box: Sandbox, bundle: Bundle) {
  return box.runtime(['run', '--bundle', bundle.directory, box.newId()]);
}

t.test('a link is copied, wherever it leads', { skip }, async (t) => {
  const box = sandbox(t);
  const bundle = bundleWith(
    box,
    [linkMount('link', 'ro', 'rprivate')],
    'readlink /deep/link; grep -c deep /proc/self/mountinfo',
  );
  const { stdout, stderr } = await run(box, bundle);
  t.equal(stdout, '../to/nowhere\n0\n', stderr);
  t.equal((await run(box, bundle)).stdout, '../to/nowhere\n0\n', 'it may be there from the last time');
  t.equal(readlinkSync(join(bundle.rootfs, 'deep/link')), '../to/nowhere');
});

t.test('a source that is not a link is mounted', { skip }, async (t) => {
  const box = sandbox(t);
  const bundle = bundleWith(box, [linkMount('file')], 'cat /deep/link; grep -c /deep/link /proc/self/mountinfo');
  t.equal((await run(box, bundle)).stdout, 'text\n1\n');
});

t.test('without the option a link is followed', { skip }, async (t) => {
  const box = sandbox(t);
  const mount = { destination: '/deep/link', source: 'live', options: ['bind'] };
  const bundle = bundleWith(
    box,
    [mount],
    'cat /deep/link; readlink /deep/link || grep -c /deep/link /proc/self/mountinfo',
  );
  t.equal((await run(box, bundle)).stdout, 'text\n1\n');
});

t.test('in a user namespace, too, where it belongs to its root', { skip: skipUser }, async (t) => {
  const box = sandbox(t);
  const bundle = bundleWith(box, [linkMount('link')], 'readlink /deep/link', (spec) => {
    inUserNamespace(spec, base);
  });
  chownSync(bundle.rootfs, base, base);
  const { stdout, stderr } = await run(box, bundle);
  t.equal(stdout, '../to/nowhere\n', stderr);
  t.equal(lstatSync(join(bundle.rootfs, 'deep/link')).uid, base);
});

t.test('something else at the destination stays, and is an error', { skip }, async (t) => {
  const box = sandbox(t);
  for (const prepare of [
    (path: string) => writeFileSync(path, 'mine'),
    (path: string) => mkdirSync(path),
    (path: string) => symlinkSync('elsewhere', path),
  ]) {
    const bundle = bundleWith(box, [linkMount('link')], 'true');
    mkdirSync(join(bundle.rootfs, 'deep'));
    prepare(join(bundle.rootfs, 'deep/link'));
    const { code, stderr } = await run(box, bundle);
    t.not(code, 0);
    t.match(stderr, /\/deep\/link: EEXIST .*copy-symlink makes a link, and something else is there/s);
  }
});

t.test('it cannot lead a mount of the kernel elsewhere', { skip }, async (t) => {
  const box = sandbox(t);
  for (const destination of ['/sys', '/dev', '/proc']) {
    const bundle = bundleWith(box, [], 'true', (spec) => {
      spec.mounts = spec.mounts.filter((mount) => !mount.destination.startsWith(destination));
      spec.mounts.push({ ...linkMount('link'), destination });
    });
    const { code, stderr } = await run(box, bundle);
    t.not(code, 0, destination);
    t.match(stderr, destination === '/proc' ? /only a procfs may be at \/proc/ : /must be directories/);
  }
});

t.test('it is for bind mounts', { skip }, async (t) => {
  const box = sandbox(t);
  for (const options of [['copy-symlink'], ['remount', 'bind', 'copy-symlink']]) {
    const mount = { destination: '/deep/link', type: 'tmpfs', source: 'tmpfs', options };
    const { code, stderr } = await run(box, bundleWith(box, [mount], 'true'));
    t.not(code, 0);
    t.match(stderr, /copy-symlink is for new bind mounts/);
  }
});
