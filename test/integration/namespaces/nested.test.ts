/**
 * tsrun in a container of tsrun: with and without privileges, with and without a cgroup namespace, and in a user
 * namespace. docs/rootless.md has the table.
 */
import {
  chmodSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import {
  type Bundle,
  busyboxRootfs,
  cHelper,
  inUserNamespace,
  requires,
  run,
  type Sandbox,
  type Spec,
  sandbox,
} from '../../harness/index.ts';
import { reachableRuntime } from '../../harness/reachable.ts';

const needs = { root: true, userns: true, cgroup2: true, commands: ['gcc'] };
const skip = requires({ ...needs, cgroupDriver: 'cgroupfs', runtime: 'tsrun' });

/** The output of each command, after `ok` or its exit code. */
type Answers = Record<string, string>;

/** Runs all commands on a container inside the container that `edit` makes. */
async function lifecycle(
  t: Test,
  specFlags: string,
  edit: (spec: Spec) => void,
): Promise<{ answers: Answers; box: Sandbox }> {
  const box = sandbox(t);
  const outer = outerBundle(box, edit);
  const owner = rootOf(outer.spec);
  await run('chown', ['-R', `${owner}:${owner}`, join(box.directory, 'inner')]);
  outer.edit((spec) => {
    spec.process.args = ['/bin/sh', join(box.directory, 'inner/script'), specFlags];
  });
  const { stdout, stderr } = await box.runtime(['run', '--bundle', outer.directory, box.newId()]);
  const lines = stdout.split('\n').filter(Boolean);
  if (lines.length === 0) throw new Error(stderr);
  return { answers: Object.fromEntries(lines.map((line) => line.split(/: (.*)/s))), box };
}

/** The outer container's user on the host. */
function rootOf({ linux, process }: Spec): number {
  return (linux.uidMappings?.[0]?.hostID ?? 0) + (process.user.uid ?? 0);
}

/** A container with the host's programs, in which the sandbox's directory is at its own path. */
function outerBundle(box: Sandbox, edit: (spec: Spec) => void): Bundle {
  const inner = join(box.directory, 'inner');
  mkdirSync(inner);
  busyboxRootfs(join(inner, 'rootfs'));
  chmodSync(box.directory, 0o711);
  const runtime = reachableRuntime(box.directory);
  copyFileSync(cHelper('terminal'), join(inner, 'terminal'));
  writeFileSync(join(inner, 'script'), scriptOf(runtime, inner));
  const outer = box.bundle((spec) => {
    spec.process.env = ['PATH=/bin:/usr/bin:/usr/sbin', `D=${inner}`];
    spec.mounts.push({ destination: '/tmp', type: 'tmpfs', options: ['mode=1777'] });
    for (const path of ['/usr', '/lib', '/lib64', process.execPath, box.directory]) {
      if (existsSync(path) && !isLink(path)) spec.mounts.push({ destination: path, source: path, options: ['rbind'] });
    }
    edit(spec);
  });
  for (const path of ['/lib', '/lib64']) if (isLink(path)) symlinkSync(readlinkSync(path), outer.rootfs + path);
  return outer;
}

function isLink(path: string): boolean {
  return existsSync(path) && lstatSync(path).isSymbolicLink();
}

/** A line for each command. The output of create goes to a file, because it is passed on to the container. */
function scriptOf(runtime: string, inner: string): string {
  return `cd ${inner}
T="${runtime} --root ${inner}/state"
step() {
  name=$1; shift
  if out=$("$@" 2>&1 </dev/null); then code=ok; else code=$?; fi
  echo "$name: $code" $out
}
step spec $T spec $1 --no-terminal --writable -- sh -c 'grep -c . /proc/1/cmdline /proc/self/uid_map; id -u; exec sleep 1000'
step create sh -c "$T --log-level info create c1 >out 2>&1; code=\\$?; cat out; exit \\$code"
step start $T start c1
step state sh -c "$T state c1 | grep status"
step exec $T exec c1 id -u
step exectty ${inner}/terminal $T exec --tty c1 sh -c 'tty; stty size; exit 7'
$T spec $1 --writable --config tty.json -- sh -c 'tty; stty size; exit 8'
step runtty ${inner}/terminal $T run --config tty.json c2
step cgroup sh -c "grep ^0:: /proc/$($T state c1 | sed -n 's/.*\\"pid\\": \\([0-9]*\\).*/\\1/p')/cgroup"
step ps $T ps --format json c1
step pause $T pause c1
step paused sh -c "$T state c1 | grep status"
step resume $T resume c1
step stats sh -c "$T events --stats c1 | cut -c1-15"
step kill $T kill c1 KILL
step delete $T delete --force c1
step left ls state
`;
}

/** Most of what --privileged gives with docker or podman. */
function privileged(spec: Spec): void {
  const more = ['CAP_SYS_ADMIN', 'CAP_NET_ADMIN', 'CAP_BPF', 'CAP_SYS_PTRACE', 'CAP_MKNOD'];
  setCapabilities(spec, [...usual, ...more]);
  spec.process.noNewPrivileges = false;
  spec.linux.maskedPaths = [];
  spec.linux.readonlyPaths = [];
  spec.linux.resources = { devices: [{ allow: true, access: 'rwm' }] };
  for (const mount of spec.mounts) {
    if (mount.destination.startsWith('/sys')) mount.options = mount.options?.filter((option) => option !== 'ro') ?? [];
  }
}

/** The capabilities of docker's default that matter here. */
const usual = [
  ...['CAP_AUDIT_WRITE', 'CAP_CHOWN', 'CAP_DAC_OVERRIDE', 'CAP_FOWNER', 'CAP_KILL', 'CAP_NET_BIND_SERVICE'],
  ...['CAP_SETFCAP', 'CAP_SETGID', 'CAP_SETPCAP', 'CAP_SETUID', 'CAP_SYS_CHROOT'],
];

function setCapabilities(spec: Spec, names: string[]): void {
  spec.process.capabilities = { bounding: names, effective: names, permitted: names };
}

function withoutCgroupNamespace(spec: Spec): void {
  spec.linux.namespaces = spec.linux.namespaces.filter(({ type }) => type !== 'cgroup');
}

const everything: Answers = {
  spec: 'ok',
  create: 'ok',
  start: 'ok',
  state: 'ok "status": "running",',
  exec: 'ok 0',
  resume: 'ok',
  kill: 'ok',
  delete: 'ok',
  left: 'ok',
};

/** The inner container has a terminal of its own, as large as the outer one. */
function hasTerminals(t: Test, { exectty, runtty }: Answers): void {
  t.match(exectty, /^7 \/dev\/pts\/\d+\s+33 77/);
  t.match(runtty, /^8 \/dev\/pts\/\d+\s+33 77/);
}

/** Every command works. */
function holdsCgroup(t: Test, answers: Answers): void {
  hasTerminals(t, answers);
  t.match(answers, { ...everything, pause: 'ok', paused: 'ok "status": "paused",', stats: 'ok {"type":"stats"' });
  t.match(answers.ps, /^ok \[\d+\]$/);
}

/** Everything works that needs no cgroup; the rest says what would help. */
function lacksCgroup(t: Test, answers: Answers): void {
  hasTerminals(t, answers);
  const { resume: _, create: _create, ...rest } = everything;
  t.match(answers, rest);
  t.match(answers.create, /^ok .*cannot make the cgroup .* EROFS: .*\(.*needs a writable \/sys\/fs\/cgroup\)/);
  t.match(answers.pause, /^1 .*cannot pause a container without a cgroup/);
  t.match(answers.stats, /no cgroup of its own/);
}

t.test('in a privileged container', { skip }, async (t) => {
  const { answers } = await lifecycle(t, '', privileged);
  holdsCgroup(t, answers);
  t.equal(answers.cgroup, 'ok 0::/c1');
});

t.test('in a privileged container without a cgroup namespace', { skip }, async (t) => {
  const edit = (spec: Spec) => {
    privileged(spec);
    withoutCgroupNamespace(spec);
  };
  const { answers, box } = await lifecycle(t, '', edit);
  holdsCgroup(t, answers);
  t.equal(answers.cgroup, `ok 0::${box.cgroup}/c1`, 'beside the outer one, by the path that the host has for it');
});

t.test('in a container with docker’s capabilities', { skip }, async (t) => {
  const { answers } = await lifecycle(t, '--rootless', (spec) => setCapabilities(spec, usual));
  lacksCgroup(t, answers);
});

t.test('in the same container with a writable cgroup and nothing masked', { skip }, async (t) => {
  const edit = (spec: Spec) => {
    privileged(spec);
    setCapabilities(spec, usual);
  };
  const { answers } = await lifecycle(t, '--rootless', edit);
  holdsCgroup(t, answers);
});

t.test('in a container without any of them, by its root and by a user', { skip }, async (t) => {
  const { answers } = await lifecycle(t, '--rootless', () => {});
  t.match(
    answers.create,
    /^1 .*linux\/uidMappings: cannot write uid_map: EPERM.*\(hint: .*CAP_SETFCAP.*another user\)/,
  );
  const user = await lifecycle(t, '--rootless', (spec) => {
    spec.process.user = { uid: 1000, gid: 1000 };
  });
  lacksCgroup(t, user.answers);
});

t.test('in a container in a user namespace', { skip }, async (t) => {
  const edit = (spec: Spec) => {
    privileged(spec);
    inUserNamespace(spec);
  };
  for (const flags of ['', '--rootless']) {
    const { answers } = await lifecycle(t, flags, edit);
    holdsCgroup(t, answers);
    t.equal(answers.cgroup, 'ok 0::/c1');
  }
});

t.test('the refusal of a plain config says what would run', { skip }, async (t) => {
  const { answers } = await lifecycle(t, '', (spec) => setCapabilities(spec, usual));
  t.match(answers.create, /^1 .*without privilege a container needs a user namespace \(hint: .*spec --rootless/);
});
