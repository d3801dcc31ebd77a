/** Limits that dockerd sets, which need their controllers, and systemd as its cgroup driver. */
import t, { type Test } from 'tap';
import { waitFor } from '../harness/index.ts';
import { Docker } from './dockerd.ts';
import { engineVm } from './engine-vm.ts';

const skip = engineVm({ controllers: ['cpu', 'memory', 'pids'] });

/** Prints files of the container's cgroup. */
const read = (...files: string[]) => ['sh', '-c', `cd /sys/fs/cgroup && cat ${files.join(' ')}`];

t.test('dockerd with all controllers', { skip }, async (t) => {
  const docker = await Docker.start(t);
  await t.test('limits', (t) => limits(t, docker));
  await t.test('limits of a running container change', (t) => updates(t, docker));
  await t.test('out of memory', (t) => outOfMemory(t, docker));
  await t.test('its own scope in the cgroup namespace of the host', (t) => hostCgroupNamespace(t, docker));
});

t.test('dockerd with all controllers and the resident shim', { skip }, async (t) => {
  const docker = await Docker.start(t, {}, { shim: true });
  await t.test('limits', (t) => limits(t, docker));
  await t.test('limits of a running container change', (t) => updates(t, docker));
});

async function limits(t: Test, docker: Docker) {
  const flags = ['--memory', '64m', '--memory-swap', '64m', '--memory-reservation', '32m', '--pids-limit', '50'];
  const cpus = ['--cpus', '0.5', '--cpu-shares', '512'];
  const files = ['memory.max', 'memory.swap.max', 'memory.low', 'pids.max', 'cpu.max'];
  const seen = await docker.run([...flags, ...cpus], ...read(...files));
  t.equal(seen.stdout, '67108864\n0\n33554432\n50\n50000 100000\n', seen.stderr);
  const weight = Number((await docker.run(['--cpu-shares', '512'], ...read('cpu.weight'))).stdout);
  const standard = Number((await docker.run([], ...read('cpu.weight'))).stdout);
  t.ok(weight > 0 && weight < standard, `${weight} is less than ${standard}`);
  const forks = 'for i in 1 2 3 4 5 6 7 8; do sleep 1000 & done';
  t.match(await docker.run(['--pids-limit', '4'], 'sh', '-c', forks), { stderr: /can't fork/ });
}

async function updates(t: Test, docker: Docker) {
  await docker.detach(['--memory', '64m', '--memory-swap', '128m'], 'grows', 'sleep', '1000');
  const pid = await docker.inspect('grows', '.State.Pid');
  const flags = ['--memory', '96m', '--memory-swap', '96m', '--pids-limit', '70', '--cpus', '0.25'];
  await docker.outputOf('update', ...flags, 'grows');
  const now = () => docker.outputOf('exec', 'grows', ...read('memory.max', 'memory.swap.max', 'pids.max', 'cpu.max'));
  t.equal(await now(), '100663296\n0\n70\n25000 100000\n');
  await docker.outputOf('update', '--cpus', '0.5', 'grows');
  t.equal(await now(), '100663296\n0\n70\n50000 100000\n', 'what is not named stays');
  t.equal(await docker.inspect('grows', '.State.Pid'), pid);
  t.match(await docker.outputOf('stats', '--no-stream', 'grows'), /iB \/ 96MiB/);
  await docker.outputOf('rm', '--force', 'grows');
}

async function outOfMemory(t: Test, docker: Docker) {
  const flags = ['--memory', '16m', '--memory-swap', '16m', '--name', 'eater', '--detach'];
  // The event comes separately; if the container's init is killed, dockerd may see the exit first.
  const script = "sh -c 'x=12345678; while :; do x=$x$x; done'; echo $?; until [ -e /go ]; do sleep 0.1; done; exit 3";
  await docker.outputOf(...docker.runArguments(flags, 'sh', '-c', script));
  const isKnown = async () => (await docker.inspect('eater', '.State.OOMKilled')) === 'true' || undefined;
  t.ok(await waitFor('dockerd to know', isKnown));
  docker.place.writeFile('/tmp/go', '');
  await docker.outputOf('cp', '/tmp/go', 'eater:/go');
  t.equal(await docker.outputOf('wait', 'eater'), '3\n');
  t.match(await docker.outputOf('logs', 'eater'), /137\n/);
  t.equal(await docker.inspect('eater', '.State.OOMKilled'), 'true');
}

async function hostCgroupNamespace(t: Test, docker: Docker) {
  const script = 'cat /proc/self/cgroup; head -n 1 /sys/fs/cgroup/cgroup.procs; mkdir /sys/fs/cgroup/x';
  for (const [slice, path] of [
    ['system.slice', '/system.slice'],
    ['a-b.slice', '/a.slice/a-b.slice'],
  ] as const) {
    const seen = await docker.run(['--cgroupns', 'host', '--cgroup-parent', slice], 'sh', '-c', script);
    t.match(seen.stdout, new RegExp(`^0::${path}/docker-\\w+\\.scope\n1\n$`), seen.stderr);
    t.match(seen.stderr, /Read-only file system/);
  }
}
