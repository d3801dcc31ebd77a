/** `--cgroup-manager`, as podman passes it to crun. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { requires, sandbox } from '../harness/index.ts';

const skip = requires({ root: true, cgroup2: true, runtime: ['tsrun', 'crun'], cgroupDriver: 'cgroupfs' });

const ownCgroup = () => /^0::(.*)$/m.exec(readFileSync('/proc/self/cgroup', 'utf8'))?.[1];

t.test('disabled: the container and what joins it stay in the caller’s cgroup', { skip }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle((spec) => {
    spec.process.args = ['/bin/sleep', '100000'];
    spec.linux.namespaces = spec.linux.namespaces?.filter(({ type }) => type !== 'cgroup');
    // As podman leaves it out.
    delete spec.linux.cgroupsPath;
    delete spec.linux.resources;
  });
  const id = await box.create(bundle, [], ['--cgroup-manager', 'disabled']);
  await box.runtimeOk(['--cgroup-manager=disabled', 'start', id]);
  const { pid } = await box.state(id);
  t.match(readFileSync(`/proc/${pid}/cgroup`, 'utf8'), `0::${ownCgroup()}\n`);
  const { stdout } = await box.runtimeOk(['exec', id, 'cat', '/proc/self/cgroup']);
  t.match(stdout, `0::${ownCgroup()}\n`);
  await box.runtimeOk(['--cgroup-manager', 'disabled', 'kill', id, 'KILL']);
  await box.waitForState(id, 'stopped');
  await box.runtimeOk(['--cgroup-manager', 'disabled', 'delete', id]);
});

t.test(
  'cgroupfs is the default; another word is an error',
  { skip: requires({ root: true, runtime: 'tsrun', cgroupDriver: 'cgroupfs' }) },
  async (t) => {
    const box = sandbox(t);
    const bundle = box.bundle();
    const plan = async (...globals: string[]) =>
      (await box.runtimeOk([...globals, 'plan', '--bundle', bundle.directory])).stdout;
    t.equal(await plan('--cgroup-manager', 'cgroupfs'), await plan());
    const wrong = await box.runtime(['--cgroup-manager', 'none', 'list']);
    t.equal(wrong.code, 1);
    t.match(wrong.stderr, /--cgroup-manager.*cgroupfs, systemd, disabled/);
  },
);

t.test(
  'a limit without a cgroup is refused',
  { skip: requires({ root: true, runtime: 'tsrun', cgroupDriver: 'cgroupfs' }) },
  async (t) => {
    const box = sandbox(t);
    const bundle = box.bundle((spec) => {
      spec.linux.resources = { ...spec.linux.resources, unified: { 'cgroup.max.depth': '3' } };
    });
    const { code, stderr } = await box.runtime([
      '--cgroup-manager=disabled',
      'create',
      '--bundle',
      bundle.directory,
      box.newId(),
    ]);
    t.equal(code, 1);
    t.match(stderr, /\/linux\/resources\/unified\/cgroup.max.depth: with --cgroup-manager disabled there is no cgroup/);
  },
);

t.test(
  'disabled: the caller’s cgroup is not the container’s to change',
  { skip: requires({ root: true, cgroup2: true, runtime: 'tsrun', cgroupDriver: 'cgroupfs' }) },
  async (t) => {
    // The root of its cgroup namespace is the cgroup that others live in, too.
    const box = sandbox(t);
    const bundle = box.bundle((spec) => {
      spec.process.args = ['/bin/sh', '-c', 'mkdir /sys/fs/cgroup/tsrun-test-escape && echo made'];
      delete spec.linux.cgroupsPath;
      delete spec.linux.resources;
      for (const mount of spec.mounts) {
        if (mount.type === 'cgroup') mount.options = mount.options?.filter((option) => option !== 'ro') ?? [];
      }
    });
    const run = ['--cgroup-manager', 'disabled', 'run', '--bundle', bundle.directory, box.newId()];
    const { stdout, stderr } = await box.runtime(run);
    t.equal(stdout, '');
    t.match(stderr, 'Read-only file system');
  },
);
