/**
 * linux.devices of a container with a user namespace, in which nobody may make a node: a privileged runtime makes nodes
 * before, any other binds the host's.
 *
 * For tsrun only: Debian's crun 1.8.1 makes a node that its container may not open, and runc 1.1.5 binds the host's.
 */
import { chmodSync, chownSync, readdirSync, readFileSync } from 'node:fs';
import t from 'tap';
import { runWithFault } from '../../harness/faults.ts';
import {
  type Bundle,
  inUserNamespace,
  requires,
  run,
  runtimePath,
  type Sandbox,
  type Spec,
  sandbox,
} from '../../harness/index.ts';

const needs = { root: true, userns: true, runtime: 'tsrun' } as const;
const skip = requires(needs);
const stracedOnly = requires({ ...needs, commands: ['strace'] });
const setprivOnly = requires({ ...needs, commands: ['setpriv'] });

const base = 100_000;
const mapping = [{ containerID: 0, hostID: base, size: 65_536 }];

type Device = NonNullable<Spec['linux']['devices']>[number];

const none: Device = { type: 'c', path: '/dev/no-such-device', major: 1, minor: 3 };

function bundleWith(box: Sandbox, script: string, devices: Device[], edit?: (spec: Spec) => void): Bundle {
  const bundle = box.bundle((spec) => {
    spec.process.args = ['/bin/sh', '-c', script];
    inUserNamespace(spec, base);
    spec.linux.devices = devices;
    edit?.(spec);
  });
  chmodSync(box.directory, 0o711);
  chownSync(bundle.rootfs, base, base);
  return bundle;
}

async function outputOf(box: Sandbox, script: string, devices: Device[], edit?: (spec: Spec) => void): Promise<string> {
  const bundle = bundleWith(box, script, devices, edit);
  const { code, stdout, stderr } = await box.runtime(['run', '--bundle', bundle.directory, box.newId()]);
  if (code === 0) return stdout;
  throw new Error(`${code}: ${stderr || stdout}`);
}

const hostMounts = () => readFileSync('/proc/self/mountinfo', 'utf8');

t.test('a node that the host does not have, and nothing of it outside', { skip }, async (t) => {
  const box = sandbox(t);
  const before = [hostMounts(), readdirSync('/dev').join()];
  const script = 'echo gone > /dev/no-such-device && cat /dev/no-such-device && stat -c "%F %t:%T" /dev/no-such-device';
  t.equal(await outputOf(box, script, [none]), 'character special file 1:3\n');
  t.same([hostMounts(), readdirSync('/dev').join()], before);
});

const skipPoor = requires({ ...needs, commands: ['unshare'] });

t.test(
  'default devices that the host does not have are made, the others are its own',
  { skip: skipPoor },
  async (t) => {
    const box = sandbox(t);
    const { directory } = bundleWith(box, 'for d in full tty null; do stat -c "%n %t:%T %u" /dev/$d; done', []);
    // A /dev as in a container of another runtime.
    const command = [runtimePath, '--root', box.root, 'run', '--bundle', directory, box.newId()].join(' ');
    const dev = 'mkdir dev; for d in null zero random urandom; do touch dev/$d; mount --bind /dev/$d dev/$d; done';
    const script = `cd ${directory}; ${dev}; mount --rbind dev /dev && exec ${command}`;
    const { stdout, stderr } = await run('unshare', ['--mount', 'sh', '-c', script]);
    t.equal(stdout, '/dev/full 1:7 0\n/dev/tty 5:0 0\n/dev/null 1:3 65534\n', stderr);
  },
);

t.test('its mode and owner are those of the config, or root’s', { skip: skip }, async (t) => {
  const devices: Device[] = [
    { ...none, path: '/dev/c', fileMode: 0o640, uid: 7, gid: 8 },
    { type: 'b', path: '/some/new/place/b', major: 259, minor: 300, fileMode: 0o660 },
    { ...none, type: 'u', path: '/plain' },
    { ...none, path: '/dev/zero', major: 1, minor: 5, fileMode: 0o600 },
  ];
  const script =
    'stat -c "%n %F %t:%T %a %u:%g" /dev/c /some/new/place/b /plain /dev/zero; grep -c "/dev/c .*nosuid,noexec" /proc/self/mountinfo';
  t.equal(
    await outputOf(sandbox(t), script, devices),
    '/dev/c character special file 1:3 640 7:8\n/some/new/place/b block special file 103:12c 660 0:0\n' +
      '/plain character special file 1:3 666 0:0\n/dev/zero character special file 1:5 600 0:0\n1\n',
  );
});

t.test('another user is kept out by its mode', { skip: skip }, async (t) => {
  const script = 'cat /dev/mine && ! cat /dev/other 2> /dev/null';
  const devices: Device[] = [
    { ...none, path: '/dev/mine', fileMode: 0o600, uid: 7, gid: 8 },
    { ...none, path: '/dev/other', fileMode: 0o600 },
  ];
  await outputOf(sandbox(t), script, devices, (spec) => {
    spec.process.user = { uid: 7, gid: 8 };
  });
  t.pass('it reads its own alone');
});

t.test('an owner that the namespace does not map is reported', { skip: skip }, async (t) => {
  const box = sandbox(t);
  const bundle = bundleWith(box, 'stat -c %u:%g /dev/no-such-device', [{ ...none, gid: 70_000 }]);
  const { stdout, stderr } = await box.runtime(['run', '--bundle', bundle.directory, box.newId()]);
  t.equal(stdout, '0:0\n', stderr);
  const planned = await box.runtime(['plan', '--bundle', bundle.directory]);
  t.match(planned.stderr + planned.stdout, /devices\/0\/gid: the user namespace has no such ID/);
});

t.test('a joined user namespace', { skip: skip }, async (t) => {
  const box = sandbox(t);
  const first = box.bundle((spec) => {
    spec.process.args = ['/bin/sleep', '1000'];
    inUserNamespace(spec, base);
  });
  chmodSync(box.directory, 0o711);
  chownSync(first.rootfs, base, base);
  const id = await box.create(first);
  const { pid } = JSON.parse((await box.runtimeOk(['state', id])).stdout);
  for (const mappings of [mapping, undefined]) {
    const output = await outputOf(box, 'cat /dev/no-such-device; stat -c %u:%g /dev/no-such-device', [none], (spec) => {
      spec.linux.namespaces = spec.linux.namespaces.map((entry) =>
        entry.type === 'user' ? { type: 'user', path: `/proc/${pid}/ns/user` } : entry,
      );
      spec.linux.uidMappings = mappings;
      spec.linux.gidMappings = mappings;
    });
    t.equal(output, mappings === undefined ? '65534:65534\n' : '0:0\n');
  }
});

t.test('if a device cgroup refuses the node, the host’s is bound', { skip: stracedOnly }, async (t) => {
  const box = sandbox(t);
  const refused = { call: 'mknodat', error: 'EPERM' };
  const runBundle = (bundle: Bundle) => {
    const id = box.newId();
    return runWithFault(box, refused, ['run', '--bundle', bundle.directory, id], { follow: true });
  };
  const there = await runBundle(bundleWith(box, 'cat /dev/null && echo read', [{ ...none, path: '/dev/null' }]));
  t.equal(there.stdout, 'read\n', there.stderr);
  const missing = await runBundle(bundleWith(box, 'true', [none]));
  t.not(missing.code, 0);
  t.match(missing.stderr, /bind-device \/dev\/no-such-device: ENOENT .*the kernel did not let one be made/s);
});

t.test('without CAP_MKNOD it is always the host’s', { skip: setprivOnly }, async (t) => {
  const box = sandbox(t);
  const without = async (device: Device) => {
    const { directory } = bundleWith(box, 'cat /dev/null && echo read', [device]);
    const setpriv = ['--bounding-set', '-mknod', '--inh-caps', '-mknod', runtimePath, '--root', box.root];
    return run('setpriv', [...setpriv, 'run', '--bundle', directory, box.newId()]);
  };
  const there = await without({ ...none, path: '/dev/null' });
  t.equal(there.stdout, 'read\n', there.stderr);
  t.match((await without(none)).stderr, /bind-device \/dev\/no-such-device: ENOENT .*must be there/);
  const other = await without({ ...none, path: '/dev/null', minor: 5 });
  t.match(other.stderr, /bind-device \/dev\/null: ENXIO .*a different device/);
});
