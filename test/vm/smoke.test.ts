import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { vmAvailability } from './availability.ts';
import { runInVm } from './machine.ts';
import { checkout } from './paths.ts';
import { type Tier, tiers, VmError } from './tier.ts';

/** Milliseconds: a tier's first test may have to build the image, and a slow machine takes long for every boot. */
const timeout = 50 * 60 * 1000;
/** Seconds for one job. */
const timeoutSeconds = 2000;

/** What each tier must have at least; a kernel may have more. */
const controllers: Record<Tier, readonly string[]> = {
  aarch64: ['cpuset', 'cpu', 'io', 'memory', 'pids'],
  uml: ['cpu', 'io', 'memory', 'pids'],
  qemu: ['cpuset', 'cpu', 'io', 'memory', 'hugetlb', 'pids', 'rdma', 'misc'],
};

const limited = path.join(checkout, 'test/vm/guest/limited-container.sh');

for (const tier of tiers) {
  const { ok, why } = vmAvailability(tier);
  t.test(`${tier} VM`, { skip: !ok && why, timeout }, async (t) => {
    await t.test('systemd is pid 1 and cgroup v2 is the only hierarchy', { timeout }, (t) => hasSystemd(t, tier));
    await t.test('crun and runc set limits with both cgroup drivers', { timeout }, (t) => runsContainers(t, tier));
    await t.test('streams, exit code, environment and shares reach the caller', { timeout }, (t) =>
      passesThrough(t, tier),
    );
    await t.test('a job that does not end is ended', { timeout }, (t) => timesOut(t, tier));
    await t.test('the death of the caller ends the VM', { timeout }, (t) => diesWithCaller(t, tier));
  });
}

async function hasSystemd(t: Test, tier: Tier) {
  const script = [
    'cat /proc/1/comm /sys/fs/cgroup/cgroup.controllers',
    'stat -f -c %T /sys/fs/cgroup',
    'systemctl is-system-running',
    'busctl --json=short get-property org.freedesktop.systemd1 /org/freedesktop/systemd1 ' +
      'org.freedesktop.systemd1.Manager SystemState',
  ].join(' && ');
  const { stdout, stderr, exitCode } = await runInVm({ tier, command: ['sh', '-c', script], timeoutSeconds });
  t.equal(exitCode, 0, stderr);
  const [init, available, filesystem, state, property] = stdout.trim().split('\n');
  t.equal(init, 'systemd');
  t.same(
    controllers[tier].filter((name) => !available?.split(' ').includes(name)),
    [],
    'no controller is missing',
  );
  t.equal(filesystem, 'cgroup2fs');
  t.equal(state, 'running');
  t.equal(property, '{"type":"s","data":"running"}');
}

async function runsContainers(t: Test, tier: Tier) {
  const runtimes = ['crun', 'crun --systemd-cgroup', 'runc', 'runc --systemd-cgroup'];
  const script = runtimes.map((runtime) => `${limited} ${runtime}`).join(' && ');
  const { stdout, stderr, exitCode } = await runInVm({ tier, command: ['bash', '-c', script], timeoutSeconds });
  t.equal(exitCode, 0, stderr);
  t.same(stdout.trim().split('\n'), Array(runtimes.length).fill(String(64 * 1024 * 1024)));
}

async function passesThrough(t: Test, tier: Tier) {
  const share = mkdtempSync(path.join(tmpdir(), 'tsrun-vm-test-'));
  t.teardown(() => rmSync(share, { recursive: true }));
  // All byte values, enough to arrive in many pieces.
  const bytes = Buffer.alloc(1 << 20, Buffer.from(Array.from({ length: 256 }, (_, i) => i)));
  writeFileSync(path.join(share, 'bytes'), bytes);
  const seen: Buffer[] = [];
  const { stderr, exitCode } = await runInVm({
    tier,
    command: ['sh', '-c', 'cat bytes; (echo "$WORD"; which tsrun) >&2; exit 42'],
    cwd: share,
    shares: [share],
    env: { WORD: `it's "here" & $now` },
    onStdout: (data) => seen.push(data),
    timeoutSeconds,
  });
  t.ok(Buffer.concat(seen).equals(bytes), 'stdout is byte for byte what the command wrote');
  t.equal(stderr, `it's "here" & $now\n${path.join(checkout, 'bin/tsrun')}\n`);
  t.equal(exitCode, 42);
}

async function timesOut(t: Test, tier: Tier) {
  const job = runInVm({ tier, command: ['sleep', '1000'], timeoutSeconds: 1 });
  await t.rejects(job, VmError);
  await t.rejects(job, /did not end within 1 s/);
}

async function diesWithCaller(t: Test, tier: Tier) {
  const args = [
    'scripts/vm.mjs',
    '--tier',
    tier,
    '--timeout',
    String(timeoutSeconds),
    'sh',
    '-c',
    'echo up; sleep 1000',
  ];
  const caller = spawn(process.execPath, args, { cwd: checkout, stdio: ['ignore', 'pipe', 'inherit'] });
  await new Promise((resolve) => caller.stdout.once('data', resolve));
  const started = descendants(caller.pid ?? 0);
  t.ok(started.length > 1, 'the VM is made of processes below the caller');
  caller.kill('SIGKILL');
  for (let tries = 0; tries < 1200 && started.some(isAlive); tries++) await sleep(100);
  t.same(started.filter(isAlive), [], 'none of them is left');
}

function descendants(pid: number): number[] {
  const pids = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
  const children = pids.filter((child) => statOf(child)?.parent === pid);
  return children.flatMap((child) => [child, ...descendants(child)]);
}

/** A zombie counts as gone: its new parent will reap it. */
function isAlive(pid: number): boolean {
  const state = statOf(pid)?.state;
  return state !== undefined && state !== 'Z';
}

/** State and parent from /proc/PID/stat, whose second field, the name, may contain anything. */
function statOf(pid: number): { state: string; parent: number } | undefined {
  try {
    const [state = '', parent] = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return { state, parent: Number(parent) };
  } catch {
    return undefined;
  }
}
