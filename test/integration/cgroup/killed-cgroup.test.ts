/**
 * cgroup.kill ends the processes that a cgroup has, and later ones live. Linux 6.18 also kills each child of
 * CLONE_INTO_CGROUP if it was ever written in the child's cgroup or the caller's.
 */
import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import t, { type Test } from 'tap';
import { requires, run, runtimePath, type Spec, sandbox } from '../../harness/index.ts';

// crun 1.8.1 fails there: "write to sync socket: Broken pipe".
const skip = requires({ root: true, cgroup2: true, runtime: 'tsrun', cgroupDriver: 'cgroupfs' });

function killedCgroup(t: Test, path: string): string {
  mkdirSync(path, { recursive: true });
  t.teardown(() => existsSync(path) && rmdirSync(path));
  writeFileSync(join(path, 'cgroup.kill'), '1');
  return path;
}

/** Prints its own cgroup. */
function showCgroup(spec: Spec): void {
  spec.process.args = ['cat', '/proc/self/cgroup'];
  spec.linux.namespaces = spec.linux.namespaces?.filter(({ type }) => type !== 'cgroup');
}

t.test('a container in a cgroup whose processes were killed once', { skip }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle(showCgroup);
  const cgroup = killedCgroup(t, box.cgroupOf(bundle));
  const { code, stdout, stderr } = await box.runtime(['run', '--bundle', bundle.directory, box.newId()]);
  t.match({ code, stderr }, { code: 0, stderr: '' });
  t.match(stdout, basename(cgroup));
});

t.test('run and exec from a cgroup whose processes were killed once', { skip }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle(showCgroup);
  const name = basename(box.cgroupOf(bundle));
  const caller = killedCgroup(t, `${box.cgroupOf(bundle)}-caller`);
  const from = (...args: string[]) => {
    const script = `echo 0 >${caller}/cgroup.procs && exec "$@"`;
    return run('sh', ['-c', script, 'sh', runtimePath, '--root', box.root, ...args]);
  };
  const { code, stdout, stderr } = await from('run', '--bundle', bundle.directory, box.newId());
  t.match({ code, stderr }, { code: 0, stderr: '' });
  t.match(stdout, new RegExp(`${name}\n`));

  const sleeper = box.bundle((spec) => {
    spec.process.args = ['sleep', '1000'];
  });
  const id = await box.createAndStart(sleeper);
  const inside = await from('exec', id, 'echo', 'inside');
  t.match(inside, { code: 0, stdout: 'inside\n', stderr: '' });
  await box.runtimeOk(['delete', '--force', id]);
});
