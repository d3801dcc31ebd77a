/**
 * linux.rootfsPropagation, and which mounts on one side appear on the other; the root filesystem as a mount.
 *
 * Also run with Debian's crun 1.8.1 and runc 1.1.5; tests that they fail are for tsrun only. Seen there: both fail with
 * unbindable roots, and crun's container does not see the mount that a host makes later.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { parseMountInfo, requires, type Sandbox, type Spec, sandbox } from '../../harness/index.ts';

const skip = requires({ root: true });
const tsrunOnly = requires({ root: true, runtime: 'tsrun' });

/** A shared mount on the host, as /var/lib mostly is. */
function sharedDirectory(t: Test, box: Sandbox): string {
  const path = join(box.directory, 'shared');
  mkdirSync(path);
  execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', path]);
  t.teardown(() => execFileSync('umount', ['--recursive', path]));
  execFileSync('mount', ['--make-shared', path]);
  mkdirSync(join(path, 'below'));
  return path;
}

function isMounted(path: string): boolean {
  return parseMountInfo(readFileSync('/proc/self/mountinfo', 'utf8')).some(({ mountPoint }) => mountPoint === path);
}

/** Lets the container mount, with the host's directory at /m. */
function mayMount(source: string, propagation: string[], rootfsPropagation?: string) {
  return (spec: Spec) => {
    for (const set of ['bounding', 'effective', 'permitted'] as const) {
      spec.process.capabilities = { ...spec.process.capabilities, [set]: ['CAP_SYS_ADMIN'] };
    }
    spec.mounts.push({ destination: '/m', source, options: ['rbind', ...propagation] });
    if (rootfsPropagation !== undefined) spec.linux.rootfsPropagation = rootfsPropagation as 'shared';
  };
}

t.test('the root mount inside', { skip: tsrunOnly }, async (t) => {
  const box = sandbox(t);
  const root = async (rootfsPropagation?: string) => {
    const output = await box.outputOf(['/bin/cat', '/proc/self/mountinfo'], (spec) => {
      if (rootfsPropagation !== undefined) spec.linux.rootfsPropagation = rootfsPropagation as 'shared';
    });
    return parseMountInfo(output).find(({ mountPoint }) => mountPoint === '/')?.propagation;
  };
  t.same(await root(), []);
  t.same(await root('private'), []);
  t.match(await root('shared'), [/^shared:\d+$/]);
  t.same(await root('unbindable'), ['unbindable']);
});

t.test('the recursive forms reach all mounts', { skip: tsrunOnly }, async (t) => {
  const box = sandbox(t);
  const propagations = async (rootfsPropagation: string) => {
    const output = await box.outputOf(['/bin/cat', '/proc/self/mountinfo'], (spec) => {
      spec.linux.rootfsPropagation = rootfsPropagation as 'shared';
    });
    return [...new Set(parseMountInfo(output).map(({ propagation }) => propagation.join().replace(/\d+/, 'N')))];
  };
  t.same(await propagations('rprivate'), ['']);
  // On a host with a shared root, the host's mounts follow it.
  t.ok((await propagations('rslave')).every((propagation) => ['', 'master:N'].includes(propagation)));
  t.same(await propagations('rshared'), ['shared:N']);
  t.same(await propagations('runbindable'), ['unbindable']);
});

t.test('slave: the root follows the mount of the host it comes from', { skip: tsrunOnly }, async (t) => {
  const box = sandbox(t);
  const shared = sharedDirectory(t, box);
  const bundle = box.bundle((spec) => {
    spec.process.args = ['/bin/cat', '/proc/self/mountinfo'];
    spec.linux.rootfsPropagation = 'slave';
  });
  execFileSync('cp', ['-a', bundle.rootfs, join(shared, 'rootfs')]);
  bundle.edit((spec) => {
    spec.root.path = join(shared, 'rootfs');
  });
  const { stdout } = await box.runtimeOk(['run', '--bundle', bundle.directory, box.newId()]);
  const root = parseMountInfo(stdout).find(({ mountPoint }) => mountPoint === '/');
  t.match(root?.propagation, [/^master:\d+$/]);
});

t.test('by default, no mount of the container comes to the host', { skip }, async (t) => {
  const box = sandbox(t);
  const shared = sharedDirectory(t, box);
  for (const propagation of [[], ['rprivate'], ['rslave'], ['rshared']]) {
    const script = 'mount -t tmpfs tmpfs /m/below && echo mounted';
    t.equal(await box.outputOf(script, mayMount(shared, propagation)), 'mounted\n');
    t.notOk(isMounted(join(shared, 'below')), propagation.join());
  }
});

t.test('with rshared and a shared root they do', { skip }, async (t) => {
  const box = sandbox(t);
  const shared = sharedDirectory(t, box);
  await box.outputOf('mount -t tmpfs tmpfs /m/below', mayMount(shared, ['rshared'], 'rshared'));
  t.ok(isMounted(join(shared, 'below')));
});

/** The propagation of /m, mounted with these options, in a container with this propagation of its root. */
async function propagationOf(t: Test, rootfsPropagation: string, ...options: string[]): Promise<string> {
  const box = sandbox(t);
  const shared = sharedDirectory(t, box);
  const output = await box.outputOf(['/bin/cat', '/proc/self/mountinfo'], mayMount(shared, options, rootfsPropagation));
  const found = parseMountInfo(output).find(({ mountPoint }) => mountPoint === '/m');
  return found?.propagation.join().replace(/\d+/g, 'N') ?? 'no mount';
}

const skipKept = requires({ root: true, differs: { crun: '1.8.1 takes it back' } });

t.test('a mount’s own propagation wins over the root’s', { skip: skipKept }, async (t) => {
  t.equal(await propagationOf(t, 'rprivate', 'shared'), 'shared:N');
  t.equal(await propagationOf(t, 'rprivate', 'rshared'), 'shared:N');
});

t.test('whatever the two are', { skip: tsrunOnly }, async (t) => {
  t.equal(await propagationOf(t, 'rslave', 'rshared'), 'shared:N,master:N');
  t.equal(await propagationOf(t, 'rshared', 'rslave'), 'master:N');
  t.equal(await propagationOf(t, 'rshared', 'private'), '');
  t.equal(await propagationOf(t, 'runbindable', 'private'), '');
  t.equal(await propagationOf(t, 'rprivate', 'unbindable'), 'unbindable');
});

t.test('also where a remount has it, and for each mount of a place', { skip: tsrunOnly }, async (t) => {
  const output = await sandbox(t).outputOf(['/bin/cat', '/proc/self/mountinfo'], (spec) => {
    spec.linux.rootfsPropagation = 'rprivate';
    spec.mounts.push(
      { destination: '/m', type: 'tmpfs', source: 'below', options: ['shared'] },
      { destination: '/m', type: 'tmpfs', source: 'above' },
      { destination: '/m', options: ['remount', 'bind', 'unbindable'] },
      { destination: '/m/n', type: 'tmpfs', source: 'inside', options: ['rshared'] },
    );
  });
  const found = parseMountInfo(output).filter(({ mountPoint }) => mountPoint.startsWith('/m'));
  const kinds = found.map(({ propagation }) => propagation.join().replace(/\d+/g, 'N'));
  t.same(kinds, ['shared:N', 'unbindable', 'shared:N']);
});

t.test('mounts of the container itself stay inside even then', { skip }, async (t) => {
  const box = sandbox(t);
  const output = await box.outputOf('cat /proc/self/mountinfo | wc -l', (spec) => {
    spec.linux.rootfsPropagation = 'rshared';
    spec.mounts.push({ destination: '/m', type: 'tmpfs', source: 'tmpfs' });
  });
  t.ok(Number(output) > 5);
  t.notMatch(readFileSync('/proc/self/mountinfo', 'utf8'), box.directory);
});

t.test('with rslave a mount of the host comes to the running container', { skip: tsrunOnly }, async (t) => {
  const box = sandbox(t);
  const shared = sharedDirectory(t, box);
  const bundle = box.bundle((spec) => {
    spec.process.args = ['/bin/sh', '-c', 'echo ready; until test -e /m/below/marker; do sleep 0.02; done; echo seen'];
    mayMount(shared, ['rslave'])(spec);
  });
  const id = box.newId();
  const running = box.startRuntime(['run', '--bundle', bundle.directory, id]);
  await box.waitForState(id, 'running');
  execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', join(shared, 'below')]);
  writeFileSync(join(shared, 'below/marker'), '');
  t.equal((await running.done).stdout, 'ready\nseen\n');
});

t.test('a root filesystem behind a symlink', { skip: tsrunOnly }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle((spec) => {
    spec.process.args = ['/bin/echo', 'inside'];
    spec.root.path = 'link/rootfs';
  });
  mkdirSync(join(bundle.directory, 'real'));
  renameSync(bundle.rootfs, join(bundle.directory, 'real/rootfs'));
  symlinkSync('real', join(bundle.directory, 'link'));
  t.equal((await box.runtimeOk(['run', '--bundle', bundle.directory, box.newId()])).stdout, 'inside\n');
});

t.test('a root filesystem that is a mount point, with mounts below', { skip }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle((spec) => {
    spec.process.args = ['/bin/sh', '-c', 'cat /var/file; touch /var/x /x && echo written'];
  });
  execFileSync('mount', ['--bind', bundle.rootfs, bundle.rootfs]);
  t.teardown(() => execFileSync('umount', ['--recursive', bundle.rootfs]));
  execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', join(bundle.rootfs, 'var')]);
  writeFileSync(join(bundle.rootfs, 'var/file'), 'below\n');
  t.equal((await box.runtimeOk(['run', '--bundle', bundle.directory, box.newId()])).stdout, 'below\nwritten\n');
});
