/**
 * Containers without a mount namespace: a namespace that is not listed is the runtime's (config-linux.md, Namespaces).
 */
import { existsSync, lstatSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { OrdinaryUser, requires, type Sandbox, type Spec, sandbox } from '../../harness/index.ts';

const skip = requires({ root: true, runtime: 'tsrun' });
const skipUser = requires({ root: true, runtime: 'tsrun', userns: true, commands: ['setpriv'] });

/** Removes from the config everything that needs mounts. */
function sharing(spec: Spec): void {
  spec.linux.namespaces = spec.linux.namespaces.filter(({ type }) => type !== 'mount');
  spec.mounts = [];
  spec.root.readonly = false;
  for (const name of ['maskedPaths', 'readonlyPaths', 'rootfsPropagation'] as const) delete spec.linux[name];
}

/** The mounts of this mount namespace below a directory; meanwhile other tests add and remove theirs. */
const mountsBelow = (directory: string) =>
  readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .filter((line) => line.includes(directory));

async function inside(box: Sandbox, script: string, edit: (spec: Spec) => void = () => undefined): Promise<string> {
  const bundle = box.bundle((spec) => {
    sharing(spec);
    spec.process.args = ['/bin/sh', '-c', script];
    edit(spec);
  });
  const { stdout } = await box.runtimeOk(['run', '--bundle', bundle.directory, box.newId()]);
  t.same(mountsBelow(bundle.directory), [], 'nothing is mounted on the host');
  return stdout;
}

t.test('its root is the rootfs, in the mount namespace of the host', { skip }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle((spec) => {
    sharing(spec);
    spec.process.args = ['/bin/sleep', '1000'];
  });
  writeFileSync(join(bundle.rootfs, 'mark'), 'the rootfs\n');
  const id = await box.createAndStart(bundle);
  const { pid } = await box.state(id);
  t.equal(readlinkSync(`/proc/${pid}/ns/mnt`), readlinkSync('/proc/self/ns/mnt'));
  t.not(readlinkSync(`/proc/${pid}/ns/pid`), readlinkSync('/proc/self/ns/pid'));
  t.equal(readlinkSync(`/proc/${pid}/root`), bundle.rootfs);
  t.equal(readlinkSync(`/proc/${pid}/cwd`), bundle.rootfs);
  t.same(mountsBelow(bundle.directory), []);

  const exec = await box.runtimeOk(['exec', id, '/bin/sh', '-c', 'cat /mark; pwd; ls /..; kill -0 1 && echo same']);
  t.match(exec.stdout, /^the rootfs\n\/\n(?:.*\n)*mark\n(?:.*\n)*same\n$/);
  t.notMatch(exec.stdout, /^boot$/m);
  await box.runtimeOk(['delete', '--force', id]);
  t.same(mountsBelow(bundle.directory), []);
});

t.test('no path leads out of it', { skip }, async (t) => {
  const out = await inside(
    sandbox(t),
    'cd ../../../..; pwd; ls /../../etc/shadow; ls -l /dev/null; echo x >/dev/null && echo ok',
  );
  t.match(out, /^\/\n.*1,\s+3 .*\nok\n$/s);
});

t.test('with no namespace listed at all', { skip }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle((spec) => {
    sharing(spec);
    spec.linux.namespaces = [];
    delete spec.hostname;
    spec.process.args = ['/bin/sleep', '1000'];
  });
  const id = await box.createAndStart(bundle);
  const { pid } = await box.state(id);
  for (const type of ['mnt', 'pid', 'net', 'ipc', 'uts', 'user']) {
    t.equal(readlinkSync(`/proc/${pid}/ns/${type}`), readlinkSync(`/proc/self/ns/${type}`), type);
  }
  t.match((await box.runtimeOk(['exec', id, '/bin/ls', '/'])).stdout, 'bin');
  await box.runtimeOk(['delete', '--force', id]);
});

t.test('the host’s own root', { skip }, async (t) => {
  const box = sandbox(t);
  const before = devOfHost();
  writeFileSync(join(box.directory, 'mark'), 'the host\n');
  const out = await inside(box, `cat ${box.directory}/mark; readlink /proc/self/ns/mnt`, (spec) => {
    spec.root.path = '/';
  });
  t.equal(out, `the host\n${readlinkSync('/proc/self/ns/mnt')}\n`);
  t.same(devOfHost(), before, 'the host’s /dev is as it was');
});

/** The entries of the host's /dev that a runtime makes in a container's. */
function devOfHost() {
  return ['null', 'tty', 'ptmx', 'fd', 'stdin', 'core', 'console'].map((name) => {
    const status = lstatSync(`/dev/${name}`, { throwIfNoEntry: false });
    return status && [name, status.ino, status.mode, status.uid, status.rdev];
  });
}

t.test('whatever needs a mount is refused, with its place and a way out', { skip }, async (t) => {
  const box = sandbox(t);
  const cases: [place: string, edit: (spec: Spec) => void][] = [
    ['/mounts', (spec) => spec.mounts.push({ destination: '/proc', type: 'proc', source: 'proc' })],
    ['/root/readonly', (spec) => Object.assign(spec.root, { readonly: true })],
    ['/linux/maskedPaths', (spec) => Object.assign(spec.linux, { maskedPaths: ['/etc'] })],
    ['/linux/readonlyPaths', (spec) => Object.assign(spec.linux, { readonlyPaths: ['/etc'] })],
    ['/linux/rootfsPropagation', (spec) => Object.assign(spec.linux, { rootfsPropagation: 'private' })],
  ];
  for (const [place, edit] of cases) {
    const bundle = box.bundle((spec) => {
      sharing(spec);
      edit(spec);
    });
    const { code, stderr } = await box.runtime(['run', '--bundle', bundle.directory, box.newId()]);
    t.equal(code, 1, place);
    t.match(stderr, `${place}: without a mount namespace this would change the host's mounts`);
    t.match(stderr, /hint: add .*mount.* to \/linux\/namespaces/);
    t.same(mountsBelow(bundle.directory), []);
  }
});

t.test('the socket of sd_notify is not mounted on the host', { skip }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle((spec) => {
    sharing(spec);
    spec.process.args = ['/bin/sh', '-c', 'echo "[$NOTIFY_SOCKET]"'];
  });
  const env = { ...process.env, NOTIFY_SOCKET: join(box.directory, 'manager') };
  const { stdout, code } = await box.runtime(['run', '--bundle', bundle.directory, box.newId()], { env });
  t.match({ stdout, code }, { stdout: '[]\n', code: 0 });
  t.notOk(existsSync(join(bundle.rootfs, 'run/notify')));
});

t.test('an ordinary user has such containers in a user namespace', { skip: skipUser }, async (t) => {
  const user = new OrdinaryUser(sandbox(t));
  user.write((spec) => {
    sharing(spec);
    spec.process.args = ['/bin/sleep', '1000'];
  });
  await user.ok(['run', '--detach', user.id]);
  const { pid } = JSON.parse((await user.ok(['state', user.id])).stdout);
  t.equal(readlinkSync(`/proc/${pid}/ns/mnt`), readlinkSync('/proc/self/ns/mnt'));
  t.equal(readlinkSync(`/proc/${pid}/root`), join(user.bundle, 'rootfs'));
  t.equal((await user.ok(['exec', user.id, '/bin/sh', '-c', 'id -u; pwd'])).stdout, '0\n/\n');
  await user.ok(['kill', user.id, 'KILL']);
  await user.ok(['delete', '--force', user.id]);
});
