/** What the runtime brings to a restore: mounts, terminal, namespaces, limits, hooks. */
import { mkdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { Checkpoints, type Witness, witness } from '../../harness/checkpointed.ts';
import { criuForTests } from '../../harness/criu.ts';
import { type Bundle, cHelper, requires, type Sandbox, type Spec, sandbox, waitFor } from '../../harness/index.ts';

t.setTimeout(30 * 60 * 1000);
const criu = await criuForTests();
const skip = requires({ runtime: 'tsrun' }) || criu.skip;

/** Checkpoints a container and restores it from another bundle directory. */
async function move(at: Checkpoints, id: string, bundle: Bundle, edit?: (spec: Spec) => void) {
  await at.checkpoint(id);
  const saved = witness(bundle) as Witness;
  const copy = at.moved(bundle, edit);
  const restored = await at.restore(copy);
  await at.goesOn(copy, saved);
  const inside = async (script: string) =>
    (await at.box.runtime(['exec', '--cap', 'CAP_MKNOD', restored, '/bin/sh', '-c', script])).stdout;
  return { id: restored, bundle: copy, inside };
}

t.test('mounts come back: from the host by the config’s source, a tmpfs with what is in it', { skip }, async (t) => {
  const at = new Checkpoints(sandbox(t), criu);
  const source = (name: string) => {
    const path = join(at.box.directory, name);
    mkdirSync(path);
    writeFileSync(join(path, 'name'), name);
    return path;
  };
  const [first, second] = [source('first'), source('second')];
  const binds = (path: string): Spec['mounts'] => [
    { destination: '/run/data', source: path, options: ['rbind', 'rw'] },
    { destination: '/etc/only', source: join(path, 'name'), options: ['bind', 'ro'] },
    { destination: '/tmp', source: 'tmpfs', type: 'tmpfs', options: ['nosuid', 'size=1m'] },
  ];
  const bundle = at.bundle((spec) => spec.mounts.push(...binds(first)));
  // A link in the image leads from its destination there.
  bundle.addFile('etc/keep', '');
  const id = await at.start(bundle);
  await at.box.runtimeOk(['exec', id, '/bin/sh', '-c', 'echo kept > /tmp/file']);
  const { inside } = await move(at, id, bundle, (spec) => {
    spec.mounts = [...spec.mounts.slice(0, -3), ...binds(second)];
  });
  t.equal(await inside('cat /run/data/name; echo; cat /etc/only; echo; cat /tmp/file'), 'second\nsecond\nkept\n');
  t.match(await inside('echo x 2>&1 > /etc/only; echo more >> /run/data/name && echo written'), /written/);
  t.equal(readFileSync(join(first, 'name'), 'utf8'), 'first');
  t.equal(readFileSync(join(second, 'name'), 'utf8'), 'secondmore\n', 'one is writable, the other read-only');
});

t.test('a root filesystem without mount points gets them; masks and read-only paths are there', { skip }, async (t) => {
  const at = new Checkpoints(sandbox(t), criu);
  const bundle = at.bundle((spec) => {
    spec.linux.maskedPaths = ['/proc/interrupts', '/proc/acpi', '/etc/passwd'];
  });
  const id = await at.start(bundle);
  await at.checkpoint(id);
  const saved = witness(bundle) as Witness;
  const copy = at.moved(bundle);
  for (const name of ['proc', 'sys', 'dev']) rmSync(join(copy.rootfs, name), { recursive: true });
  const restored = await at.restore(copy);
  await at.goesOn(copy, saved);
  const { stdout } = await at.box.runtime([
    'exec',
    restored,
    '/bin/sh',
    '-c',
    'cat /proc/interrupts /etc/passwd | wc -c; echo 1 > /proc/sys/net/ipv4/ip_forward || echo refused; ls -d /dev/null /dev/pts/ptmx /dev/shm',
  ]);
  t.equal(stdout, '0\nrefused\n/dev/null\n/dev/pts/ptmx\n/dev/shm\n');
});

t.test('limits and device rules are those of the config at restore', { skip }, async (t) => {
  const at = new Checkpoints(sandbox(t), criu);
  const limit = (text: string) => (spec: Spec) => {
    spec.linux.resources = { ...spec.linux.resources, unified: { 'cgroup.max.descendants': text } };
  };
  const bundle = at.bundle(limit('7'));
  const { bundle: copy, inside } = await move(at, await at.start(bundle), bundle, limit('9'));
  t.equal(readFileSync(join(at.box.cgroupOf(copy), 'cgroup.max.descendants'), 'utf8'), '9\n');
  const open = 'mknod /tmp/kmsg c 1 11 && head -c 1 /tmp/kmsg 2>&1 || mknod /tmp/null c 1 3; cat /tmp/null && echo ok';
  t.match(await inside(open), /Operation not permitted\nok\n/);
});

t.test('namespaces that were joined are joined again', { skip }, async (t) => {
  const at = new Checkpoints(sandbox(t), criu);
  const holder = at.box.startProgram('unshare', [
    '--net',
    '--ipc',
    '--uts',
    'sh',
    '-c',
    'hostname pod; echo; exec sleep 1000',
  ]);
  await waitFor('the namespaces', () => holder.output.stdout || undefined);
  const path = (name: string) => `/proc/${holder.pid}/ns/${name}`;
  const bundle = at.bundle((spec) => {
    delete spec.hostname;
    spec.linux.namespaces = spec.linux.namespaces.filter(({ type }) => !['network', 'ipc', 'uts'].includes(type));
    spec.linux.namespaces.push(
      { type: 'network', path: path('net') },
      { type: 'ipc', path: path('ipc') },
      { type: 'uts', path: path('uts') },
    );
  });
  const { id } = await move(at, await at.start(bundle), bundle);
  const { pid } = await at.box.state(id);
  for (const name of ['net', 'ipc', 'uts'])
    t.equal(readlinkSync(`/proc/${pid}/ns/${name}`), readlinkSync(path(name)), name);
});

t.test('a network namespace that hooks fill is left to them', { skip }, async (t) => {
  const at = new Checkpoints(sandbox(t), criu);
  const log = join(at.box.directory, 'hooks');
  const hook = (kind: string) => {
    const script = `read state; echo "${kind} $(echo "$state" | sed 's/.*"status":"\\([a-z]*\\)".*/\\1/')" >> ${log}`;
    return [{ path: '/bin/sh', args: ['sh', '-c', script] }];
  };
  const bundle = at.bundle((spec) => {
    spec.hooks = {
      prestart: hook('prestart'),
      createRuntime: hook('createRuntime'),
      poststart: hook('poststart'),
      poststop: hook('poststop'),
    };
  });
  const id = await at.start(bundle);
  await at.checkpoint(id, ['--empty-ns', 'network']);
  t.match(readFileSync(log, 'utf8'), /poststop stopped\n$/);
  rmSync(log);
  const saved = witness(bundle) as Witness;
  const restored = await at.restore(bundle, ['--empty-ns', 'network']);
  await at.goesOn(bundle, saved);
  t.equal(readFileSync(log, 'utf8'), 'prestart creating\ncreateRuntime creating\npoststart running\n');
  await at.box.runtimeOk(['delete', '--force', restored]);
  t.match(readFileSync(log, 'utf8'), /poststop stopped\n$/);
});

async function receiver(box: Sandbox, name: string) {
  const socket = join(box.directory, `${name}.sock`);
  const { output } = box.startProgram(cHelper('receive-fd'), [socket]);
  const shows = (text: string) => waitFor(text, () => (output.stdout.includes(text) ? true : undefined));
  await shows('listening');
  return { socket, shows };
}

t.test('a terminal goes to the console socket of restore, a pidfd to its socket', { skip }, async (t: Test) => {
  const at = new Checkpoints(sandbox(t), criu);
  const bundle = at.box.bundle((spec) => {
    spec.process.args = ['/bin/sh', '-c', 'stty -echo; while read line; do echo got $line; done'];
    spec.process.terminal = true;
  });
  const first = await receiver(at.box, 'first');
  const id = await at.create(bundle, ['--console-socket', first.socket]);
  await at.box.runtimeOk(['start', id]);
  await first.shows('got hello');
  await at.checkpoint(id);
  const [second, pidfd] = [await receiver(at.box, 'second'), await receiver(at.box, 'pidfd')];
  const restored = await at.restore(bundle, ['--console-socket', second.socket, '--pidfd-socket', pidfd.socket]);
  await second.shows('got hello');
  await pidfd.shows(`pidfd ${(await at.box.state(restored)).pid}`);
});

const inTheVm = skip || requires({ controllers: ['memory'] });
t.test('the host’s cgroup hierarchy keeps its options', { skip: inTheVm }, async (t) => {
  const at = new Checkpoints(sandbox(t), criu);
  const bundle = at.bundle();
  const options = () => {
    const lines = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
    return lines.find((line) => line.split(' ')[4] === '/sys/fs/cgroup')?.replace(/.* /, '');
  };
  const before = options();
  t.match(before, /nsdelegate/, 'there is something to lose');
  await at.checkpoint(await at.start(bundle));
  t.equal(options(), before);
  await at.restore(bundle);
  t.equal(options(), before);
});
