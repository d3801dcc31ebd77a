/** Limits of podman's containers and pods, and what its systemd timers do with an unhealthy container. */
import t from 'tap';
import { run, runFlags, runScript, podmanInVm as skip, until } from './podman-vm.ts';

/** Prints the values in one line. */
const values = (...files: string[]) => `sh -c 'cd /sys/fs/cgroup && cat ${files.join(' ')} | paste -sd,'`;

const files = ['memory.max', 'memory.low', 'memory.swap.max', 'pids.max', 'cpu.max', 'cpu.weight'];

t.test('limits, and podman update', { skip }, async (t) => {
  const memory = '--memory 64m --memory-reservation 32m --memory-swap 96m';
  const { stdout, stderr } = await runScript(t, [
    `$podman run -d --name box ${runFlags} ${memory} --pids-limit 50 --cpus 0.5 --cpu-shares 512 busybox sleep 1000 >/dev/null`,
    `$podman exec box ${values(...files)}`,
    '$podman update --memory 32m --memory-swap 48m --pids-limit 40 --cpus 1.5 --cpu-shares 2048 box >/dev/null',
    `$podman exec box ${values(...files)}`,
    '$podman rm -f -t 0 box >/dev/null',
    `${run} --cpu-period 50000 --cpu-quota 25000 --cgroup-conf memory.high=16777216 busybox ${values('cpu.max', 'memory.high')}`,
    // The shell survives the process that it starts.
    `${run} --memory 32m --memory-swap 32m busybox sh -c 'tail /dev/zero 2>/dev/null; echo $?'`,
    `${run} --pids-limit 2 busybox sh -c 'sleep 0 & sleep 0 & sleep 0; wait' 2>/dev/null || echo no fork`,
  ]);
  const started = '67108864,33554432,33554432,50,50000 100000,59';
  const updated = '33554432,33554432,16777216,40,150000 100000,174';
  t.equal(stdout, `${started}\n${updated}\n25000 50000,16777216\n137\nno fork\n`, stderr);
});

t.test('limits of pods, by command and by kube play', { skip }, async (t) => {
  const resources = { limits: { memory: '64Mi', cpu: '500m' }, requests: { memory: '32Mi' } };
  const image = { image: 'localhost/busybox', imagePullPolicy: 'Never' };
  const container = { name: 'c', ...image, command: ['sleep', '1000'], resources };
  const spec = { containers: [container], terminationGracePeriodSeconds: 0 };
  const manifest = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'kube' }, spec };
  const { stdout, stderr } = await runScript(t, [
    '$podman pod create --name pod --network none --memory 128m --cpus 1 >/dev/null',
    '$podman run -d --pod pod --name box --log-driver k8s-file --memory 64m busybox sleep 1000 >/dev/null',
    `$podman exec box ${values('memory.max', 'cpu.max')}`,
    "slice=$($podman pod inspect --format '{{.CgroupPath}}' pod)",
    'cd /sys/fs/cgroup/$slice && cat memory.max cpu.max && cd /',
    "grep -c $slice/libpod- /proc/$($podman inspect --format '{{.State.Pid}}' box)/cgroup",
    '$podman pod rm -f -t 0 pod >/dev/null',
    'test ! -e /sys/fs/cgroup/$slice && echo gone',
    `echo '${JSON.stringify(manifest)}' >/tmp/kube.yaml`,
    '$podman kube play --network none --log-driver k8s-file /tmp/kube.yaml >/dev/null',
    `$podman exec kube-c ${values('memory.max', 'memory.low', 'cpu.max')}`,
    '$podman kube down --force /tmp/kube.yaml >/dev/null',
  ]);
  const pod = '67108864,max 100000\n134217728\n100000 100000\n1\ngone\n';
  t.equal(stdout, `${pod}67108864,33554432,50000 100000\n`, stderr);
});

t.test('healthchecks by a timer of systemd', { skip }, async (t) => {
  const health = "--health-cmd 'test ! -e /tmp/ill' --health-interval 1s --health-retries 1 --health-on-failure kill";
  const status = "$podman inspect --format '{{.State.Health.Status}} {{.State.ExitCode}}' box";
  const { stdout, stderr } = await runScript(t, [
    `$podman run -d --name box ${runFlags} ${health} busybox sleep 1000 >/dev/null`,
    until(`${status} | grep '^healthy'`),
    '$podman exec box touch /tmp/ill',
    '$podman wait box',
    status,
    '$podman rm box >/dev/null',
  ]);
  t.equal(stdout, 'healthy 0\n137\nunhealthy 137\n', stderr);
});
