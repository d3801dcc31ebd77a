/** `--cgroup-manager`, as podman passes it to crun. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { type Needs, requires, type Sandbox, type Spec, sandbox } from '../../harness/index.ts';

const skip = requires({ root: true, cgroup2: true, runtime: ['tsrun', 'crun'], cgroupDriver: 'cgroupfs' });

const ownCgroup = () => /^0::(.*)$/m.exec(readFileSync('/proc/self/cgroup', 'utf8'))?.[1];

t.test('disabled: the container and its exec processes stay in the caller’s cgroup', { skip }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle((spec) => {
    spec.process.args = ['/bin/sleep', '100000'];
    spec.linux.namespaces = spec.linux.namespaces?.filter(({ type }) => type !== 'cgroup');
    // podman leaves it out, too.
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
    for (const other of ['cgroupfs', 'disabled']) {
      const both = await box.runtime(['--systemd-cgroup', '--cgroup-manager', other, 'list']);
      t.match(both, { code: 1, stderr: `--systemd-cgroup: contradicts --cgroup-manager ${other}` });
    }
    t.equal((await box.runtime(['--systemd-cgroup', '--cgroup-manager', 'systemd', 'list'])).code, 0);
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
    t.match(stderr, /\/linux\/resources\/unified\/cgroup.max.depth: needs a cgroup, and --cgroup-manager disabled/);
  },
);

t.test(
  'disabled: the container cannot change the caller’s cgroup',
  { skip: requires({ root: true, cgroup2: true, runtime: 'tsrun', cgroupDriver: 'cgroupfs' }) },
  async (t) => {
    // The root of its cgroup namespace is a cgroup that other processes are in, too.
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

const allSets = ['bounding', 'effective', 'permitted'] as const;

/** Which ways to a device work: a node in the image, in a volume, in /dev, or made by the container. */
const waysScript = `
  way() { head -c 1 "$2" >/dev/null 2>&1 && echo "$1"; }
  way image /opt/zero; way volume /volume/zero; way dev /dev/zero
  mknod /tmp/zero c 1 5 2>/dev/null && way made /tmp/zero
  true`;

/** A bundle with nodes in its image and in a volume, whose program tries to make a node. */
function bundleWithNodes(box: Sandbox, edit?: (spec: Spec) => void) {
  const volume = join(box.directory, 'volume');
  mkdirSync(volume, { recursive: true });
  const bundle = box.bundle((spec) => {
    spec.process.args = ['/bin/sh', '-c', waysScript];
    const capabilities = Object.fromEntries(allSets.map((set) => [set, ['CAP_MKNOD', 'CAP_KILL']]));
    spec.process.capabilities = capabilities;
    spec.root = { path: 'rootfs' };
    spec.mounts.push({ destination: '/volume', type: 'bind', source: volume, options: ['rbind'] });
    delete spec.linux.cgroupsPath;
    delete spec.linux.resources;
    edit?.(spec);
  });
  for (const directory of [join(bundle.rootfs, 'opt'), volume]) {
    mkdirSync(directory, { recursive: true });
    execFileSync('mknod', [join(directory, 'zero'), 'c', '1', '5']);
  }
  mkdirSync(join(bundle.rootfs, 'tmp'), { recursive: true });
  return bundle;
}

const nodes: Needs = { root: true, cgroup2: true, capabilities: ['CAP_MKNOD'], runtime: 'tsrun' };
/** --systemd-cgroup is refused together with it. */
const disabled = { skip: requires({ ...nodes, cgroupDriver: 'cgroupfs' }) };

async function ways(box: Sandbox, edit?: (spec: Spec) => void, level = 'error') {
  const { directory } = bundleWithNodes(box, edit);
  const globals = ['--log-level', level, '--cgroup-manager', 'disabled'];
  return box.runtimeOk([...globals, 'run', '--bundle', directory, box.newId()]);
}

t.test('disabled: without a device filter the container cannot reach devices of the host', disabled, async (t) => {
  // crun and runc have no filter then either, so the container can make and use any node.
  const { stdout, stderr } = await ways(sandbox(t), undefined, 'warning');
  t.equal(stdout, 'dev\n');
  t.match(stderr, /process.capabilities: CAP_MKNOD would give it the host’s devices/);
});

t.test('disabled: all devices work if the rules allow them, and those of a volume with dev', disabled, async (t) => {
  const all = await ways(sandbox(t), (spec) => {
    spec.linux.resources = {
      devices: [
        { allow: false, access: 'rwm' },
        { allow: true, access: 'rwm' },
      ],
    };
  });
  t.equal(all.stdout, 'image\nvolume\ndev\nmade\n');
  const volume = await ways(sandbox(t), (spec) => {
    spec.mounts.at(-1)?.options?.push('dev', 'rdev');
  });
  t.equal(volume.stdout, 'volume\ndev\n');
});

t.test('disabled: devices in an image without a mount on /dev stay usable, with a warning', disabled, async (t) => {
  const { stdout, stderr } = await ways(
    sandbox(t),
    (spec) => {
      spec.mounts = spec.mounts.filter(({ destination }) => !destination.startsWith('/dev'));
    },
    'warning',
  );
  t.equal(stdout, 'image\ndev\n');
  t.match(stderr, /root.path: no cgroup means no device filter/);
});

t.test('disabled: exec does not grant CAP_MKNOD either, with any cgroup manager', disabled, async (t) => {
  const box = sandbox(t);
  const bundle = bundleWithNodes(box, (spec) => {
    spec.process.args = ['/bin/sleep', '100000'];
  });
  const id = await box.create(bundle, [], ['--cgroup-manager', 'disabled']);
  await box.runtimeOk(['start', id]);
  const { stdout } = await box.runtimeOk(['exec', '--cap', 'CAP_MKNOD', id, '/bin/sh', '-c', waysScript]);
  t.equal(stdout, 'dev\n');
});

t.test('with a cgroup nothing is removed: the filter decides', { skip: requires(nodes) }, async (t) => {
  const box = sandbox(t);
  const { directory } = bundleWithNodes(box);
  const { stdout } = await box.runtimeOk(['run', '--bundle', directory, box.newId()]);
  t.equal(stdout, 'image\nvolume\ndev\nmade\n', '/dev/zero is one of the devices that every container may use');
});
