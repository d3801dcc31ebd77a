/**
 * A mount namespace that begins small gives a container the same mounts as one that begins with a copy of the host's.
 * A createContainer hook makes tsrun take the second way (src/lower/mounts/small-mounts.ts).
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { parseMountInfo, requires, runtimePath, type Sandbox, type Spec, sandbox } from '../../harness/index.ts';

const skip = requires({ root: true, runtime: 'tsrun' });

/** A mount with another one below it, and a link to it. */
function hostTree(t: Test, box: Sandbox): string {
  const tree = join(box.directory, 'tree');
  mkdirSync(tree);
  execFileSync('mount', ['-t', 'tmpfs', 'outer', tree]);
  t.teardown(() => execFileSync('umount', ['--recursive', tree]));
  execFileSync('mount', ['--make-shared', tree]);
  mkdirSync(join(tree, 'below'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'noexec', 'inner', join(tree, 'below')]);
  writeFileSync(join(tree, 'file'), 'text\n');
  symlinkSync('tree', join(box.directory, 'link'));
  return tree;
}

/** The container's mounts, without the numbers that differ from one container to the next. */
async function mountsOf(box: Sandbox, edit: (spec: Spec) => void): Promise<string[]> {
  const output = await box.outputOf(['/bin/cat', '/proc/self/mountinfo'], edit);
  return parseMountInfo(output).map(({ mountPoint, fsType, source, options, propagation }) => {
    const kept = propagation.map((word) => word.replace(/\d+/, 'N'));
    return [mountPoint, fsType, source, options.join(), ...kept].join(' ');
  });
}

t.test('the same mounts, options and propagation both ways', { skip }, async (t) => {
  const box = sandbox(t);
  const tree = hostTree(t, box);
  for (const rootfsPropagation of [undefined, 'slave', 'rslave'] as const) {
    const edit = (spec: Spec) => {
      if (rootfsPropagation !== undefined) spec.linux.rootfsPropagation = rootfsPropagation;
      const bind = (name: string, source: string, ...options: string[]) => {
        spec.mounts.push({ destination: `/tmp/${name}`, source, options });
      };
      bind('all', tree, 'rbind');
      bind('one', tree, 'bind', 'ro');
      bind('slave', tree, 'rbind', 'rslave');
      bind('shared', tree, 'rbind', 'rshared');
      bind('private', tree, 'rbind', 'rprivate');
      bind('linked', join(box.directory, 'link'), 'rbind');
      bind('file', join(tree, 'file'), 'bind', 'nosuid');
      spec.mounts.push({ destination: '/tmp/all/below/t', type: 'tmpfs', source: 'tmpfs', options: ['size=1m'] });
    };
    const small = await mountsOf(box, edit);
    const full = await mountsOf(box, (spec) => {
      edit(spec);
      spec.hooks = { createContainer: [{ path: '/bin/true' }] };
    });
    t.ok(small.length > 15);
    t.same(small.sort(), full.sort(), `${rootfsPropagation}`);
  }
});

t.test('a device and a file of the host’s procfs can be bound', { skip }, async (t) => {
  const box = sandbox(t);
  const edit = (spec: Spec) => {
    spec.mounts.push({ destination: '/tmp/null', source: '/dev/null', options: ['bind'] });
    spec.mounts.push({ destination: '/tmp/version', source: '/proc/version', options: ['bind', 'ro'] });
  };
  t.match(await box.outputOf('echo x >/tmp/null; cat /tmp/version', edit), /^Linux version/);
});

t.test('with too few descriptors for all trees, the host’s mounts are copied', { skip }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle((spec) => {
    delete spec.process.rlimits;
    spec.process.args = ['/bin/sh', '-c', 'cat /tmp/59/file; grep -c " /tmp/[0-9]* " /proc/self/mountinfo'];
    for (let i = 0; i < 60; i++)
      spec.mounts.push({ destination: `/tmp/${i}`, source: box.directory, options: ['bind'] });
  });
  writeFileSync(join(box.directory, 'file'), 'text\n');
  const script = 'ulimit -Sn 48 && exec "$@"';
  const command = [runtimePath, '--root', box.root, 'run', '--bundle', bundle.directory, box.newId()];
  t.equal(execFileSync('sh', ['-c', script, 'sh', ...command], { encoding: 'utf8' }), 'text\n60\n');
});

t.test('a missing source is reported at its place', { skip }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle((spec) => {
    spec.mounts.push({ destination: '/tmp/here', source: box.directory, options: ['bind'] });
    spec.mounts.push({ destination: '/tmp/gone', source: '/none/such', options: ['bind'] });
  });
  const { stderr, code } = await box.runtime(['run', '--bundle', bundle.directory, box.newId()]);
  t.equal(code, 1);
  t.match(stderr, /\/none\/such/);
  t.match(stderr, /mounts\/8\/source/);
});
