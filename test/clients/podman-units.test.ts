/** Containers as units of systemd: quadlet, and the output of `podman generate systemd`. */
import t from 'tap';
import { podmanFlags, runFlags, runScript, podmanInVm as skip, until } from './podman-vm.ts';

/** The image masks all generators, podman's too. */
const unmask = (kind: 'system' | 'user') => `rm -f /etc/systemd/${kind}-generators/podman-${kind}-generator`;

const write = (file: string, ...lines: string[]) => `cat >${file} <<'END'\n${lines.join('\n')}\nEND`;

const container = ['[Container]', 'Network=none', 'LogDriver=k8s-file', `GlobalArgs=${podmanFlags}`];

/** Runs `ready` once it can be stopped, and ends with 0 on SIGTERM. */
const service = (ready: string) => `sh -c 'trap "exit 0" TERM; ${ready}; while :; do sleep 0.1; done'`;

const pid = (name: string) => `$($podman inspect --format '{{.State.Pid}}' ${name})`;

/** The count goes up before the new start, so both lines are true only after it. */
const restarted = (unit: string) =>
  until(
    `systemctl show --property ActiveState,NRestarts ${unit} | paste -sd, | grep -qx 'ActiveState=active,NRestarts=1'`,
  );

t.test('quadlet: a unit with a limit that says when it is ready, started again and stopped', { skip }, async (t) => {
  const { stdout, stderr } = await runScript(t, [
    unmask('system'),
    'mkdir -p /etc/containers/systemd',
    write(
      '/etc/containers/systemd/web.container',
      ...container,
      'Rootfs=/:O',
      'Notify=true',
      `Exec=${service('systemd-notify --ready --status=well')}`,
      'PodmanArgs=--memory 64m',
      '[Service]',
      'Restart=always',
    ),
    'systemctl daemon-reload',
    'systemctl start web',
    'systemctl show --property ActiveState,StatusText web',
    `cat /proc/${pid('systemd-web')}/cgroup`,
    '$podman exec systemd-web cat /sys/fs/cgroup/memory.max',
    `kill -KILL ${pid('systemd-web')}`,
    restarted('web'),
    'systemctl stop web',
    'systemctl show --property ActiveState,Result web',
    '$podman ps --all --quiet --filter name=systemd-web',
    'ls -d /sys/fs/cgroup/system.slice/web.service 2>/dev/null || echo no cgroup',
  ]);
  const cgroup = '0::/system\\.slice/web\\.service/libpod-payload-\\w+';
  const running = `ActiveState=active\nStatusText=well\n${cgroup}\n67108864\n`;
  t.match(stdout, new RegExp(`^${running}ActiveState=inactive\nResult=success\nno cgroup\n$`), stderr);
});

t.test('quadlet for the units of a user', { skip }, async (t) => {
  await runScript(t, [unmask('user')]);
  const directory = '~/.config/containers/systemd';
  const { stdout, stderr } = await runScript(
    t,
    [
      `mkdir -p ${directory}`,
      write(
        `${directory}/mine.container`,
        ...container,
        'Image=localhost/busybox:latest',
        `Exec=${service('touch /tmp/ready')}`,
        'PodmanArgs=--memory 64m',
      ),
      'systemctl --user daemon-reload',
      'systemctl --user start mine',
      'systemctl --user is-active mine',
      `cat /proc/${pid('systemd-mine')}/cgroup`,
      until('$podman exec systemd-mine cat /tmp/ready'),
      '$podman exec systemd-mine cat /sys/fs/cgroup/memory.max',
      'systemctl --user stop mine',
      'systemctl --user is-failed mine || true',
    ],
    { rootless: true },
  );
  t.match(stdout, /^active\n0::.*\/mine\.service\/libpod-payload-\w+\n67108864\ninactive\n$/, stderr);
});

t.test('podman generate systemd, for a container that is there and for a new one', { skip }, async (t) => {
  const unit = 'container-box';
  const life = [
    'systemctl daemon-reload',
    `systemctl start ${unit}`,
    `systemctl is-active ${unit}`,
    until('$podman exec box cat /tmp/ready'),
    `cat /proc/${pid('box')}/cgroup`,
    `systemctl stop ${unit}`,
    `systemctl is-failed ${unit} || true`,
  ];
  const { stdout, stderr } = await runScript(t, [
    'cd /run/systemd/system',
    `$podman create --name box ${runFlags} busybox ${service('echo ready >/tmp/ready')} >/dev/null`,
    '$podman generate systemd --name --files box >/dev/null',
    ...life,
    '$podman generate systemd --new --name --files box >/dev/null',
    '$podman rm box >/dev/null',
    ...life,
    '$podman ps --all --quiet --filter name=box',
  ]);
  const once = 'active\nready\n0::/machine\\.slice/libpod-\\w+\\.scope\\S*\ninactive\n';
  t.match(stdout, new RegExp(`^${once}${once}$`), stderr);
});
