/** systemd as pid 1 of a container: outside the VM with almost no controllers, in the VM with limits inside limits. */
import t from 'tap';
import { requires } from '../harness/index.ts';
import { engineTrees } from './engine-tree.ts';
import { type Podman, podmanTest } from './podman.ts';
import { podmanInVm, runFlags, runScript, until } from './podman-vm.ts';

/** Services of the engines' tree that a container must not start. */
const daemons = ['containerd', 'docker', 'munge', 'slurmctld', 'slurmd'].map((name) => `${name}.service`);

/** At /run/tree/root: this same Debian with a service of its own. Writes there are lost with the tmpfs. */
const tree = `
mkdir -p /run/tree && mount -t tmpfs tree /run/tree && cd /run/tree && mkdir upper work root host
mount -t overlay -o lowerdir=/,upperdir=upper,workdir=work overlay root
units=root/etc/systemd/system
for unit in docker.socket ${daemons.join(' ')}; do ln -sf /dev/null $units/$unit; done
cat >$units/own.service <<'END'
[Service]
MemoryMax=32M
ExecStart=sh -c 'echo I run in $(grep ^0:: /proc/self/cgroup); exec sleep infinity'
ExecStop=sh -c 'echo stopped >>/host/log'
END
mkdir -p root/host $units/multi-user.target.wants
ln -s ../own.service $units/multi-user.target.wants`;

const inside = '$podman exec box';

const start = (flags: string) =>
  `$podman run -d --name box ${flags} -v /run/tree/host:/host --systemd=always --rootfs /run/tree/root /sbin/init >/dev/null`;

/** Until systemd has made its sockets, `systemctl` cannot ask it. */
const booted = until(`${inside} systemctl is-system-running --wait 2>/dev/null | grep -xE 'running|degraded'`);
const failed = `${inside} systemctl list-units --failed --plain --no-legend`;

const asked = `${inside} systemd-run --quiet --pipe --wait --unit asked grep ^0:: /proc/self/cgroup`;

const stopped = [
  '$podman stop --time 100 box >/dev/null',
  "$podman inspect --format '{{.State.Status}} {{.State.ExitCode}} {{.Config.StopSignal}}' box",
];

/** A life from start to end, and once more. */
const life = (flags: string) => [
  tree,
  start(flags),
  booted,
  failed,
  `${inside} cat /proc/1/comm`,
  until(`${inside} journalctl --unit own --output cat | grep '^I run'`),
  asked,
  ...stopped,
  'cat /run/tree/host/log',
  '$podman start box >/dev/null',
  booted,
  failed,
];

const expected = `running
systemd
I run in 0::/system.slice/own.service
0::/system.slice/asked.service
exited 0 SIGRTMIN+3
stopped
running
`;

const flags = '--network none --cgroup-parent /pods';

function runNatively(podman: Podman, lines: string[]) {
  const script = ['set -e', `podman='${podman.command.join(' ')}'`, ...lines].join('\n');
  return podman.place.run(['sh', '-c', script], { seconds: 800 });
}

podmanTest('systemd boots, runs services and ends', async (t, podman) => {
  const { stdout, stderr } = await runNatively(podman, life(flags));
  t.equal(stdout, expected, stderr);
});

/** With runc 1.1.15 systemd does not get that far. */
const ownCgroups = engineTrees() || requires({ runtime: ['tsrun', 'crun'] });

podmanTest(
  'systemd in a user namespace makes cgroups of its own',
  async (t, podman) => {
    const mapping = '--uidmap 0:100000:65536 --gidmap 0:100000:65536';
    // Most of the tree belongs to nobody there, which breaks some of Debian's services.
    const owned = 'chown 100000:100000 root root/etc root/var host';
    const lines = [tree, owned, start(`${flags} ${mapping}`), booted, asked, ...stopped];
    const { stdout, stderr } = await runNatively(podman, lines);
    t.match(stdout, /^(running|degraded)\n0::\/system\.slice\/asked\.service\nexited 0 SIGRTMIN\+3\n$/, stderr);
  },
  ownCgroups,
);

t.test('systemd in a container with a limit gives its services limits', { skip: podmanInVm }, async (t) => {
  const limit = (cgroup: string) => `${inside} cat /sys/fs/cgroup${cgroup}/memory.max`;
  const { stdout, stderr } = await runScript(t, [
    ...life(`${runFlags} --memory 256m`),
    limit('/system.slice/own.service'),
    limit(''),
    `${inside} cat /proc/self/cgroup`,
    '$podman rm -f -t 0 box >/dev/null',
  ]);
  t.equal(stdout, `${expected}33554432\n268435456\n0::/init.scope\n`, stderr);
});
