/** A remount changes the mount of the entry that it means, wherever its path leads by then. */
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { requires, type Spec, sandbox } from '../../harness/index.ts';

type Mount = Spec['mounts'][number];

const skip = requires({ root: true, runtime: 'tsrun' });

/** Prints whether each of these directories is writable. */
const script = 'for at in /one /two; do touch $at/x 2>/dev/null && echo $at writable || echo $at read-only; done';

/**
 * Runs the script in a container where /way/link leads to /one, and to /two once the directory `other` is bound to
 * /way. Another container that shares a volume could do this between two entries.
 */
async function runElsewhere(t: Test, mounts: (other: string) => Mount[]): Promise<string> {
  const box = sandbox(t);
  const other = join(box.directory, 'other');
  mkdirSync(other);
  symlinkSync('/two', join(other, 'link'));
  const bundle = box.bundle((spec) => {
    spec.process.args = ['/bin/sh', '-c', script];
    spec.mounts.push(...mounts(other));
  });
  for (const name of ['one', 'two', 'way']) mkdirSync(join(bundle.rootfs, name));
  symlinkSync('/one', join(bundle.rootfs, 'way/link'));
  return (await box.runtimeOk(['run', '--bundle', bundle.directory, box.newId()])).stdout;
}

t.test('a symlink that leads elsewhere by then', { skip }, async (t) => {
  for (const options of [[], ['silent']]) {
    const output = await runElsewhere(t, (other) => [
      { destination: '/way/link', type: 'tmpfs', source: 'one', options },
      { destination: '/way', type: 'bind', source: other, options: ['bind'] },
      { destination: '/two', type: 'tmpfs', source: 'two' },
      { destination: '/way/link', options: ['remount', 'bind', 'ro'] },
    ]);
    t.equal(output, '/one read-only\n/two writable\n');
  }
});

t.test('a read-only filesystem that becomes so at the end', { skip }, async (t) => {
  // It becomes read-only once the mount below it is in place; then its own path leads elsewhere.
  const output = await runElsewhere(t, (other) => [
    { destination: '/way/link', type: 'tmpfs', source: 'one', options: ['ro'] },
    { destination: '/way/link/below', type: 'tmpfs', source: 'below' },
    { destination: '/way', type: 'bind', source: other, options: ['bind'] },
    { destination: '/two', type: 'tmpfs', source: 'two' },
  ]);
  t.equal(output, '/one read-only\n/two writable\n');
});

t.test('one mount is remounted twice', { skip }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle((spec) => {
    spec.process.args = ['/bin/sh', '-c', 'grep " /m " /proc/self/mounts'];
    spec.mounts.push(
      { destination: '/m', type: 'tmpfs', source: 'm' },
      { destination: '/m', options: ['remount', 'bind', 'nosuid'] },
      { destination: '/m', options: ['remount', 'bind', 'noexec'] },
    );
  });
  const { stdout } = await box.runtimeOk(['run', '--bundle', bundle.directory, box.newId()]);
  t.match(stdout, / \/m tmpfs rw,nosuid,noexec,relatime/);
});

t.test('of a mount that no entry has made no symlink may lead the way', { skip }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle((spec) => {
    spec.process.args = ['/bin/true'];
    spec.mounts.push(
      { destination: '/real', type: 'tmpfs', source: 'm' },
      { destination: '/link', options: ['remount', 'bind', 'ro'] },
    );
  });
  mkdirSync(join(bundle.rootfs, 'real'));
  symlinkSync('/real', join(bundle.rootfs, 'link'));
  const { code, stderr } = await box.runtime(['run', '--bundle', bundle.directory, box.newId()]);
  t.equal(code, 1);
  t.match(stderr, /\/mounts\/\d+: find-mount \/link: ELOOP \(a symbolic link stands in the way\)/);
});
