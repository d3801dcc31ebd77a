/**
 * What of a process and its container is the same after a restore. `RUNTIME=runc` tells in comments what is lost with
 * that; docs/checkpoint.md has the table. crun's restore asks CRIU for the cgroups of v1, too, which not every host gives.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { Checkpoints } from '../../harness/checkpointed.ts';
import { criuForTests } from '../../harness/criu.ts';
import {
  addCHelper,
  type Bundle,
  requires,
  runtimeName,
  runtimePath,
  type Spec,
  sandbox,
  waitFor,
} from '../../harness/index.ts';

t.setTimeout(30 * 60 * 1000);
const criu = await criuForTests();
const skip = requires({ runtime: ['tsrun', 'runc', 'crun'] }) || criu.skip;

/** Without connections nothing needs to be locked; runc has no such flag. */
const flags = runtimeName === 'runc' ? [] : ['--network-lock', 'skip'];

/** By name; `count` tells one look from the next. */
type Attributes = Record<string, string>;

function attributesIn({ rootfs }: Bundle): Attributes {
  const lines = readFileSync(join(rootfs, 'attributes'), 'utf8').trimEnd().split('\n');
  return Object.fromEntries(lines.map((line) => [line.replace(/ .*/, ''), line.replace(/^\S+ /, '')]));
}

/** What is meant to differ: CRIU makes a time namespace in which monotonic clocks go on. */
const passing = new Set(['count', 'timens_offsets']);

/** Point, options, propagation and type of each mount, without the numbers that are new each time. */
function mountsOf(pid: number): Attributes {
  const lines = readFileSync(`/proc/${pid}/mountinfo`, 'utf8').trimEnd().split('\n');
  return Object.fromEntries(
    lines.map((line) => {
      const [, , , , point = '', ...rest] = line.replace(/(shared|master):\d+/g, '$1').split(' ');
      return [`mount:${point}`, rest.join(' ')];
    }),
  );
}

/** With /dev/null as the container's output: the others can restore no file outside of it. */
async function quietly({ box, env }: Checkpoints, args: string[]): Promise<void> {
  const log = join(box.directory, 'log');
  const line = [
    '-c',
    'exec "$@" </dev/null >/dev/null 2>&1',
    'sh',
    runtimePath,
    '--root',
    box.root,
    '--log',
    log,
    ...args,
  ];
  const { code } = await box.startProgram('sh', line, { env }).done;
  if (code !== 0) throw new Error(readFileSync(log, 'utf8'));
}

async function look(at: Checkpoints, bundle: Bundle, id: string, after = 0): Promise<Attributes> {
  await waitFor('the program', () => {
    try {
      return Number(attributesIn(bundle).count) > after || undefined;
    } catch {
      return undefined;
    }
  });
  const { pid } = await at.box.state(id);
  return { ...attributesIn(bundle), ...mountsOf(pid) };
}

/** Saves and restores a container of this program, and gives the names of what is no longer the same. */
async function lostBy(t: Test, args: string[], edit: (spec: Spec) => void): Promise<string[]> {
  const at = new Checkpoints(sandbox(t), criu);
  const bundle = at.box.bundle((spec) => {
    spec.process.args = ['/bin/attributes', ...args];
    // What it may change of itself depends on no filter.
    delete spec.linux.seccomp;
    edit(spec);
  });
  addCHelper(bundle, 'attributes');
  chmodSync(bundle.rootfs, 0o777);
  const id = at.box.newId();
  await quietly(at, ['create', '--bundle', bundle.directory, id]);
  await at.box.runtimeOk(['start', id]);
  const before = await look(at, bundle, id);
  const images = ['--image-path', at.images()];
  const dumped = await at.runtime(['checkpoint', ...flags, ...images, id]);
  if (dumped.code !== 0) throw new Error(dumped.stderr);
  const saved = Number(attributesIn(bundle).count);
  const restored = at.box.newId();
  await quietly(at, ['restore', ...flags, '--detach', ...images, '--bundle', bundle.directory, restored]);
  const after = await look(at, bundle, restored, saved);
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((name) => !passing.has(name));
  const lost = names.filter((name) => before[name] !== after[name]);
  for (const name of names) {
    const change = lost.includes(name) ? `LOST: it is ${after[name]}` : 'kept';
    t.comment(`${runtimeName}: ${name} ${before[name]}: ${change}`);
  }
  await at.box.runtime(['delete', '--force', restored]);
  return lost.sort();
}

t.test('what a program has set itself', { skip }, async (t) => {
  const lost = await lostBy(t, ['set'], () => {});
  if (runtimeName !== 'tsrun') return;
  t.same(lost, ['Cpus_allowed_list', 'coredump_filter', 'ioprio', 'mempolicy', 'personality', 'timerslack']);
});

t.test('what config.json asks for', { skip }, async (t) => {
  const lost = await lostBy(t, [], (spec) => {
    spec.hostname = 'saved';
    spec.domainname = 'example';
    spec.process.oomScoreAdj = 400;
    spec.process.rlimits = [{ type: 'RLIMIT_NOFILE', soft: 100, hard: 200 }];
    // Root: CRIU needs CAP_SYS_RESOURCE to ask for the limits of another user or group.
    spec.process.user = { uid: 0, gid: 0, umask: 0o27, additionalGids: [7] };
    spec.process.ioPriority = { class: 'IOPRIO_CLASS_BE', priority: 6 };
    spec.linux.personality = { domain: 'LINUX32' };
    spec.linux.rootfsPropagation = 'shared';
    spec.linux.sysctl = {
      'kernel.msgmax': '4096',
      'fs.mqueue.msg_max': '7',
      'net.ipv4.ip_unprivileged_port_start': '80',
      'net.ipv4.ip_forward': '1',
      'net.ipv4.ping_group_range': '0 1000',
      'net.core.somaxconn': '77',
    };
    if (runtimeName !== 'tsrun') return;
    spec.process.scheduler = { policy: 'SCHED_BATCH', nice: 5 };
    spec.linux.memoryPolicy = { mode: 'MPOL_BIND', nodes: '0' };
  });
  if (runtimeName !== 'tsrun') return;
  t.same(lost, []);
});

const ours = requires({ runtime: 'tsrun' }) || skip;
t.test(
  'parameters are those of the config at restore; a policy without memory here is an error',
  {
    skip: ours,
  },
  async (t) => {
    const at = new Checkpoints(sandbox(t), criu);
    const parameters = (msgmax: string, port: string) => (spec: Spec) => {
      spec.linux.sysctl = { 'kernel.msgmax': msgmax, 'net.ipv4.ip_unprivileged_port_start': port };
    };
    const bundle = at.bundle(parameters('4096', '80'));
    const host = readFileSync('/proc/sys/kernel/msgmax', 'utf8');
    await at.checkpoint(await at.start(bundle));
    bundle.edit((spec) => {
      spec.linux.memoryPolicy = { mode: 'MPOL_BIND', nodes: '1000' };
    });
    const where = ['--image-path', at.images(), '--bundle', bundle.directory];
    const outputFiles = join(at.box.directory, 'restore');
    const { code, stderr } = await at.runtime(['restore', '--detach', ...where, at.box.newId()], { outputFiles });
    t.match(
      { code, stderr },
      { code: 1, stderr: /linux\/memoryPolicy: cannot be set for the restored processes: EINVAL/ },
    );
    bundle.edit((spec) => {
      delete spec.linux.memoryPolicy;
      parameters('2048', '81')(spec);
    });
    const id = await at.restore(bundle);
    const files = ['/proc/sys/kernel/msgmax', '/proc/sys/net/ipv4/ip_unprivileged_port_start'];
    t.equal((await at.box.runtimeOk(['exec', id, 'cat', ...files])).stdout, '2048\n81\n');
    t.equal(readFileSync('/proc/sys/kernel/msgmax', 'utf8'), host, 'the host’s is as it was');
  },
);

/** The container has 1 there before the checkpoint, and then what the kernel has for a new namespace. */
async function losesParameter(t: Test, at: Checkpoints, bundle: Bundle, key: string, fresh: string): Promise<void> {
  const saved = await at.start(bundle);
  const file = ['cat', `/proc/sys/${key.replaceAll('.', '/')}`];
  t.equal((await at.box.runtimeOk(['exec', saved, ...file])).stdout, '1\n');
  await at.checkpoint(saved);
  // For the root of a user namespace.
  execFileSync('chmod', ['-R', 'a+rX', at.box.directory]);
  const where = ['--image-path', at.images(), '--bundle', bundle.directory];
  const id = at.box.newId();
  const outputFiles = join(at.box.directory, id);
  const { code, stderr } = await at.runtime(['restore', '--detach', ...where, id], { outputFiles });
  t.equal(code, 0, stderr);
  const namespace = key.startsWith('user.') ? 'user' : 'pid';
  t.match(stderr, `linux/sysctl/${key}: not set again by restore: it has what the kernel has for a new ${namespace} n`);
  t.match(stderr, 'let the program write it');
  t.notMatch(stderr, 'msgmax', 'the others are not named');
  t.ok(stderr.includes(`${bundle.directory}/config.json`), 'it has its place');
  const now = await at.box.runtimeOk(['exec', id, ...file, '/proc/sys/kernel/msgmax']);
  t.equal(now.stdout, `${fresh}4096\n`);
}

t.test('a parameter of the pid namespace is lost, with a warning', { skip: ours }, async (t) => {
  const at = new Checkpoints(sandbox(t), criu);
  const key = 'vm.memfd_noexec';
  const bundle = at.bundle((spec) => {
    spec.linux.sysctl = { [key]: '1', 'kernel.msgmax': '4096' };
  });
  await losesParameter(t, at, bundle, key, readFileSync('/proc/sys/vm/memfd_noexec', 'utf8'));
});

t.test('a parameter of the user namespace is lost, with a warning', { skip: ours }, async (t) => {
  const at = new Checkpoints(sandbox(t), criu);
  const key = 'user.max_net_namespaces';
  const bundle = at.bundle((spec) => {
    const mapping = { containerID: 0, hostID: 100_000, size: 65_536 };
    Object.assign(spec.linux, { uidMappings: [mapping], gidMappings: [mapping] });
    spec.linux.namespaces.push({ type: 'user' });
    spec.linux.sysctl = { [key]: '1', 'kernel.msgmax': '4096' };
  });
  execFileSync('chown', ['-R', '100000:100000', bundle.rootfs]);
  // CRIU opens the files that are its output as the container's root.
  const before = process.umask(0);
  t.teardown(() => process.umask(before));
  // The kernel begins a namespace without limits of its own.
  await losesParameter(t, at, bundle, key, '2147483647\n');
});
