/** podman with all it can use: systemd, all controllers, and users with subordinate IDs. */
import t from 'tap';
import { run, runScript, podmanInVm as skip } from './podman-vm.ts';

t.test('--userns=auto maps a range of its own', { skip }, async (t) => {
  const { stdout, stderr } = await runScript(t, [
    'id -u containers >/dev/null 2>&1 || useradd --system --no-create-home containers',
    'grep -q ^containers: /etc/subuid || echo containers:2000000:1000000 | tee -a /etc/subuid >>/etc/subgid',
    `${run} --userns=auto:size=1024 busybox cat /proc/self/uid_map`,
  ]);
  t.match(stdout, /^\s*0\s+2\d{6}\s+1024\n$/, stderr);
});

t.test('--cgroups=split puts the container below the unit that starts it', { skip }, async (t) => {
  const unit = 'systemd-run --quiet --pipe --wait --unit podman-split -p Delegate=yes';
  const { stdout, stderr } = await runScript(t, [
    `${unit} ${run} --cgroups=split --cgroupns=host busybox cat /proc/self/cgroup`,
  ]);
  t.match(stdout, /^0::\/system\.slice\/podman-split\.service\/libpod-payload-\w+\n$/, stderr);
});

t.test('rootless with the cgroupfs manager: subordinate IDs, keep-id, exec', { skip }, async (t) => {
  const script = [
    'podman="$podman --cgroup-manager cgroupfs"',
    `${run} busybox cat /proc/self/uid_map`,
    `${run} --userns=keep-id busybox id -u`,
    `${run} -d --name box busybox sleep 1000 >/dev/null`,
    '$podman exec box cat /proc/1/comm',
    '$podman rm -f -t 0 box >/dev/null',
  ];
  const { stdout, stderr } = await runScript(t, script, { rootless: true });
  t.match(stdout, /^\s*0\s+1000\s+1\n\s*1\s+100000\s+65536\n1000\nsleep\n$/, stderr);
});

t.test('rootless with the systemd manager, over the user’s bus', { skip }, async (t) => {
  const script = [
    'podman="$podman --cgroup-manager systemd"',
    `${run} --memory 64m busybox cat /sys/fs/cgroup/memory.max`,
    `${run} -d --name box busybox sleep 1000 >/dev/null`,
    'cat /proc/$($podman inspect --format "{{.State.Pid}}" box)/cgroup',
    '$podman rm -f -t 0 box >/dev/null',
  ];
  const { stdout, stderr } = await runScript(t, script, { rootless: true });
  t.match(stdout, /^67108864\n0::\/user\.slice\/user-1000\.slice\/user@1000\.service\/.*libpod-\w+\.scope/, stderr);
});
