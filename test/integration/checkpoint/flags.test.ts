/** The effect of each flag of `checkpoint` and `restore`, seen by the program that goes on or by its peers. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { Checkpoints, type Witness, witness } from '../../harness/checkpointed.ts';
import { criuForTests } from '../../harness/criu.ts';
import { addCHelper, type Bundle, requires, runtimePath, type Spec, sandbox, waitFor } from '../../harness/index.ts';
import { Screen } from '../../harness/screen.ts';

t.setTimeout(30 * 60 * 1000);
const criu = await criuForTests();
const skip = requires({ runtime: 'tsrun' }) || criu.skip;
const withPerl = skip || requires({ commands: ['perl'] });
const onTerminal = skip || requires({ commands: ['tmux'] });

/** Starts a container that holds one of the obstacles of test/helpers-c/obstacles.c. */
async function holding(at: Checkpoints, name: string, edit?: (spec: Spec) => void) {
  const bundle = at.box.bundle((spec) => {
    spec.process.args = ['/bin/obstacles', name];
    edit?.(spec);
  });
  addCHelper(bundle, 'obstacles');
  const id = await at.create(bundle);
  await at.box.runtimeOk(['start', id]);
  await waitFor('the program', () => existsSync(join(bundle.rootfs, 'ready')) || undefined);
  return { bundle, id };
}

/** CRIU fails without the flag, and saves the container with it. */
async function saves(t: Test, at: Checkpoints, id: string, flags: string[], without: RegExp): Promise<void> {
  const line = ['checkpoint', '--network-lock', 'skip', '--image-path', at.images('without'), id];
  const { code, stderr } = await at.runtime(line);
  t.equal(code, 1, 'not without the flag');
  t.match(stderr, without);
  await at.checkpoint(id, flags);
}

const grows = async (size: () => number) => {
  const before = size();
  await waitFor('more of it', () => size() > before || undefined);
};

t.test('--file-locks: the lock is held again', { skip: skip || requires({ commands: ['flock'] }) }, async (t) => {
  const at = new Checkpoints(sandbox(t), criu);
  const { bundle, id } = await holding(at, 'file-lock');
  const isFree = () => spawnSync('flock', ['--nonblock', join(bundle.rootfs, 'locked'), 'true']).status === 0;
  t.notOk(isFree());
  await saves(t, at, id, ['--file-locks'], /hint: it holds file locks: --file-locks/);
  t.ok(isFree());
  await at.restore(bundle, ['--file-locks']);
  t.notOk(isFree());
});

t.test('--link-remap: a removed file that has another name is the same again', { skip }, async (t) => {
  const at = new Checkpoints(sandbox(t), criu);
  const { bundle, id } = await holding(at, 'removed-file');
  const size = () => statSync(join(bundle.rootfs, 'other')).size;
  await saves(t, at, id, ['--link-remap'], /hint: .*--link-remap/);
  await at.restore(bundle, ['--link-remap']);
  await grows(size);
});

t.test('--ext-unix-sk: a datagram socket outside is connected to again', { skip: withPerl }, async (t) => {
  const at = new Checkpoints(sandbox(t), criu);
  const directory = join(at.box.directory, 'outside');
  mkdirSync(directory);
  const script =
    'use IO::Socket::UNIX; my $s = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Local => $ARGV[0]) or die; $| = 1; while (sysread($s, $x, 99)) { print $x }';
  const server = at.box.startProgram('perl', ['-e', script, join(directory, 'socket')]);
  await waitFor('the server', () => existsSync(join(directory, 'socket')) || undefined);
  const { bundle, id } = await holding(at, 'outer-socket', (spec) => {
    // CRIU keeps the path to which the other end is bound.
    spec.mounts.push({ destination: directory, source: directory, options: ['bind'] });
    spec.process.env = [`OUTSIDE=${join(directory, 'socket')}`];
    // CRIU does not find the other end in another network namespace.
    spec.linux.namespaces = spec.linux.namespaces.filter(({ type }) => type !== 'network');
  });
  await saves(t, at, id, ['--ext-unix-sk'], /hint: .*--ext-unix-sk/);
  await at.restore(bundle, ['--ext-unix-sk']);
  await grows(() => server.output.stdout.length);
});

t.test('--tcp-skip-in-flight: a server goes on without a connection that it has not accepted', { skip }, async (t) => {
  const at = new Checkpoints(sandbox(t), criu);
  const { bundle, id } = await holding(at, 'waiting');
  const waits = async (name: string) => {
    const { stdout } = await at.box.runtimeOk(['exec', name, 'cat', '/proc/1/net/tcp']);
    // The queue of the only listening socket.
    return /^\s*0: \S+ \S+ 0A \w+:(\w+)/m.exec(stdout)?.[1];
  };
  t.equal(await waits(id), '00000001');
  await saves(t, at, id, ['--tcp-skip-in-flight'], /hint: .*--tcp-skip-in-flight/);
  const restored = await at.restore(bundle);
  await grows(() => statSync(join(bundle.rootfs, 'goes-on')).size);
  t.equal(await waits(restored), '00000000');
});

t.test(
  '--shell-job: a program on a terminal of the host goes on on that of restore',
  { skip: onTerminal },
  async (t) => {
    const at = new Checkpoints(sandbox(t), criu);
    const bundle = at.box.bundle((spec) => {
      spec.process.args = ['/bin/sh', '-c', 'echo ready; while read line; do echo got $line; done'];
    });
    const command = [runtimePath, '--root', at.box.root].join(' ');
    const first = new Screen(t, at.box);
    const id = at.box.newId();
    first.type(`${command} run --bundle ${bundle.directory} ${id}`);
    await first.shows(/^ready$/);
    first.type('one');
    await first.shows(/^got one$/);
    await saves(t, at, id, ['--shell-job'], /hint: .*--shell-job/);
    const second = new Screen(t, at.box);
    const flags = `--shell-job --network-lock skip --image-path ${at.images()} --bundle ${bundle.directory}`;
    second.type(`PATH='${at.env.PATH}' ${command} restore ${flags} ${at.box.newId()}`);
    second.type('two');
    await second.shows(/^got two$/);
  },
);

t.test('--no-pivot, --no-subreaper and restore’s --parent-path are accepted', { skip }, async (t) => {
  const at = new Checkpoints(sandbox(t), criu);
  const bundle = at.bundle();
  await at.checkpoint(await at.start(bundle));
  const saved = witness(bundle) as Witness;
  await at.restore(bundle, ['--no-pivot', '--no-subreaper', '--parent-path', 'none']);
  await at.goesOn(bundle, saved);
});

t.test('--work-path: the logs are there, and no longer with the images', { skip }, async (t) => {
  const at = new Checkpoints(sandbox(t), criu);
  const bundle = at.bundle();
  const work = ['--work-path', join(at.box.directory, 'work')];
  await at.checkpoint(await at.start(bundle), work);
  const saved = witness(bundle) as Witness;
  await at.restore(bundle, work);
  await at.goesOn(bundle, saved);
  const logs = (directory: string) => readdirSync(directory).filter((name) => name.endsWith('.log'));
  t.same(logs(join(at.box.directory, 'work')).sort(), ['dump.log', 'restore.log']);
  t.same(logs(at.images()), []);
});

t.test('--work-path and --image-path may be symbolic links, as containerd’s are', { skip }, async (t) => {
  const at = new Checkpoints(sandbox(t), criu);
  const bundle = at.bundle();
  const link = (name: string) => {
    const [path, target] = [join(at.box.directory, name), join(at.box.directory, `${name}-target`)];
    mkdirSync(target);
    symlinkSync(target, path);
    return path;
  };
  const [work, images] = [['--work-path', link('work')], link('linked')];
  await at.checkpoint(await at.start(bundle), work, images);
  const saved = witness(bundle) as Witness;
  await at.restore(bundle, work, images);
  await at.goesOn(bundle, saved);
});

const withTcp = async (at: Checkpoints) => {
  const bundle = at.bundle(undefined, ['tcp']);
  const id = await at.start(bundle);
  return { bundle, id };
};

t.test('--tcp-established keeps a connection, --tcp-close does not', { skip }, async (t) => {
  const at = new Checkpoints(sandbox(t), criu);
  const { bundle, id } = await withTcp(at);
  await at.checkpoint(id, ['--tcp-established', '--tcp-skip-in-flight']);
  const { echoed } = witness(bundle) as Witness;
  const kept = await at.restore(bundle, ['--tcp-established']);
  await waitFor('the echo', () => ((witness(bundle)?.echoed ?? 0) > echoed ? true : undefined));
  await at.checkpoint(kept, ['--tcp-close'], at.images('second'));
  // The program ends once it finds the connection closed.
  const closed = await at.restore(bundle, ['--tcp-close'], at.images('second'));
  await at.box.waitForState(closed, 'stopped');
});

/** In a table that no packet passes, in a network namespace of its own. */
function hasMarks({ env }: Checkpoints): boolean {
  const input = '*filter\n:marks - [0:0]\n-A marks -m mark --mark 1 -j DROP\nCOMMIT\n';
  return spawnSync('unshare', ['--net', 'iptables-restore', '--noflush'], { env, input }).status === 0;
}

for (const method of ['nftables', 'iptables']) {
  t.test(`--network-lock ${method}: a connection is held back, and goes on`, { skip }, async (t) => {
    const at = new Checkpoints(sandbox(t), criu);
    if (method === 'iptables' && !hasMarks(at)) {
      t.pass('cannot be tried', { skip: 'iptables cannot mark packets on this kernel, as CRIU’s rules do' });
      return;
    }
    const { bundle, id } = await withTcp(at);
    const flags = ['--tcp-established', '--network-lock', method];
    await at.checkpoint(id, flags);
    const { echoed } = witness(bundle) as Witness;
    await at.restore(bundle, flags);
    await waitFor('the echo', () => ((witness(bundle)?.echoed ?? 0) > echoed ? true : undefined));
  });
}

for (const mode of ['soft', 'full', 'ignore', 'none', 'props']) {
  t.test(`--manage-cgroups-mode ${mode}: it goes on in its own cgroup`, { skip }, async (t) => {
    const at = new Checkpoints(sandbox(t), criu);
    const bundle: Bundle = at.bundle();
    const id = await at.start(bundle);
    await at.checkpoint(id, ['--manage-cgroups-mode', mode]);
    const saved = witness(bundle) as Witness;
    const restored = await at.restore(bundle, ['--manage-cgroups-mode', mode]);
    await at.goesOn(bundle, saved);
    const { pid } = await at.box.state(restored);
    const pids = readFileSync(join(at.box.cgroupOf(bundle), 'cgroup.procs'), 'utf8')
      .split('\n')
      .map(Number);
    t.ok(pids.includes(pid), 'it is in the cgroup of its config');
  });
}

t.test('--manage-cgroups-mode strict refuses the cgroup that tsrun has made; nothing is left', { skip }, async (t) => {
  const at = new Checkpoints(sandbox(t), criu);
  const bundle = at.bundle();
  await at.checkpoint(await at.start(bundle));
  const where = ['--image-path', at.images(), '--bundle', bundle.directory];
  const line = ['restore', '--detach', '--network-lock', 'skip', '--manage-cgroups-mode', 'strict', ...where];
  const outputFiles = join(at.box.directory, 'restore');
  const { code, stderr } = await at.runtime([...line, at.box.newId()], { outputFiles });
  t.equal(code, 1);
  t.match(stderr, /Abort restore of existing cgroups \(hint: .*--manage-cgroups-mode soft/);
  t.notOk(existsSync(at.box.cgroupOf(bundle)));
});
