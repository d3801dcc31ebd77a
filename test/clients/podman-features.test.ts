/** Features of podman as root: security options, namespaces, pods, kube play, builds. */
import { podmanTest } from './podman.ts';

podmanTest('options of podman run', async (t, podman) => {
  const mapped = ['--uidmap', '0:100000:1000', '--gidmap', '0:100000:1000'];
  const cases: [flags: string[], script: string, expected: RegExp][] = [
    [['--pid=host'], 'cat /proc/1/comm', /^bash\n$/],
    [['--uts=host', '--ipc=host'], 'hostname', /^engine\n$/],
    [
      ['--privileged'],
      'grep CapEff /proc/self/status; mount -t tmpfs x /tmp && echo mounted',
      /1fff[ef]f{6}\nmounted\n$/,
    ],
    [['--device', '/dev/null:/dev/other'], 'ls -l /dev/other', / 1, +3 /],
    [['--security-opt', 'seccomp=unconfined'], 'grep Seccomp: /proc/self/status', /\t0\n/],
    [[], 'grep Seccomp: /proc/self/status', /\t2\n/],
    [['--security-opt', 'mask=/etc'], 'ls /etc; echo end', /^end\n$/],
    [['--security-opt', 'unmask=/sys/firmware'], 'ls -d /sys/firmware/*', /\/sys\/firmware\/\w/],
    [['--security-opt', 'no-new-privileges'], 'grep NoNewPrivs /proc/self/status', /\t1\n/],
    [['--init'], 'cat /proc/1/comm', /^podman-init\n$/],
    [['--systemd=always'], 'grep -c "^tmpfs /run " /proc/mounts; grep " /sys/fs/cgroup " /proc/mounts', /^1\n.* rw,/],
    [['--tmpfs', '/scratch:size=1m'], 'grep /scratch /proc/mounts', /size=1024k/],
    [['--mount', 'type=tmpfs,dst=/t,tmpfs-mode=700'], 'ls -ld /t', /^drwx------/],
    [['--read-only', '--read-only-tmpfs'], 'touch /tmp/x && echo written; touch /x', /^written\n$/],
    [['--ulimit', 'nofile=100:200', '--umask', '0077'], 'ulimit -n; umask', /^100\n0077\n$/],
    [['--sysctl', 'kernel.msgmax=1234'], 'cat /proc/sys/kernel/msgmax', /^1234\n$/],
    [mapped, 'cat /proc/self/uid_map', /^\s*0\s+100000\s+1000\n$/],
    [[...mapped, '--device', '/dev/null:/dev/other'], 'cat /dev/other; ls -l /dev/other', /root .* 1, +3 /],
    [['--mount', 'type=bind,src=/dev/fd,dst=/link,no-dereference'], 'readlink /link', /^\/proc\/self\/fd\n$/],
    [['--group-add', '55', '--oom-score-adj', '100'], 'id -G; cat /proc/self/oom_score_adj', /55\n100\n$/],
    [['--cgroupns=host'], 'grep ^0:: /proc/self/cgroup', /^0::\/.*libpod-/],
    [['-v', '/tmp:/host:ro'], 'touch /host/x || echo read-only', /^read-only\n$/],
  ];
  for (const [flags, script, expected] of cases) {
    const { stdout, stderr } = await podman.run(flags, 'sh', '-c', script);
    t.match(stdout, expected, `${flags.join(' ')}: ${stderr}`);
  }
});

podmanTest('a container with a healthcheck, and what is done to it', async (t, podman) => {
  const ok = (...args: string[]) => podman.outputOf(...args);
  const health = ['--health-cmd', 'test -e /tmp/well', '--health-interval', 'disable'];
  await ok(...podman.runArguments(['--detach', '--name', 'box', ...health], 'sleep', '1000'));
  t.equal((await podman.podman('healthcheck', 'run', 'box')).code, 1, 'not well yet');
  await ok('exec', 'box', 'touch', '/tmp/well');
  await ok('healthcheck', 'run', 'box');

  t.equal(
    await ok('exec', '-u', '1000', '-w', '/tmp', '-e', 'A=1', 'box', 'sh', '-c', 'id -u; pwd; echo $A'),
    '1000\n/tmp\n1\n',
  );
  t.match(await ok('exec', '--privileged', 'box', 'grep', 'CapEff', '/proc/self/status'), /1fff[ef]f{6}/);
  await ok('exec', '--detach', 'box', 'sleep', '1000');
  t.match(await ok('top', 'box'), /sleep 1000/);
  t.match(await ok('stats', '--no-stream', 'box'), /box/);
  await ok('cp', 'box:/etc/passwd', '/tmp/passwd');
  await ok('commit', '--quiet', 'box', 'committed');
  await ok('restart', '--time', '0', 'box');
  t.match(await ok('events', '--stream=false', '--since', '10m', '--format', '{{.Status}}'), /exec(\n.*)*restart/);
});

podmanTest('pods, by command and by kube play', async (t, podman) => {
  const ok = (...args: string[]) => podman.outputOf(...args);
  await ok('pod', 'create', '--name', 'pod', '--network', 'none', '--cgroup-parent', '/pods');
  for (const name of ['a', 'b'])
    await ok('run', '--detach', '--pod', 'pod', '--name', name, 'busybox', 'sleep', '1000');
  const namespaces = (name: string) =>
    ok('exec', name, 'sh', '-c', 'cd /proc/1/ns; for i in net ipc uts; do readlink $i; done');
  t.equal(await namespaces('a'), await namespaces('b'), 'they share them');
  await ok('pod', 'pause', 'pod');
  t.match(await ok('pod', 'ps', '--format', '{{.Status}}'), 'Paused');
  await ok('pod', 'unpause', 'pod');
  await ok('pod', 'stop', '--time', '0', 'pod');
  await ok('pod', 'start', 'pod');
  await ok('pod', 'rm', '--force', '--time', '0', 'pod');

  const container = { name: 'c', image: 'localhost/busybox', imagePullPolicy: 'Never', command: ['sleep', '1000'] };
  const spec = { containers: [container], terminationGracePeriodSeconds: 0 };
  const manifest = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'kube' }, spec };
  podman.place.writeFile('/tmp/kube.yaml', JSON.stringify(manifest));
  await ok('kube', 'play', '--network', 'none', '/tmp/kube.yaml');
  t.match(await ok('ps', '--format', '{{.Names}} {{.Status}}'), /kube-c Up/);
  await ok('kube', 'down', '/tmp/kube.yaml');
});

podmanTest('podman build runs its steps in containers of the runtime', async (t, podman) => {
  const file =
    'FROM localhost/busybox\nRUN echo built by $(id -u) > /built\nUSER 1000\nRUN id -u > /tmp/user\nCMD cat /built /tmp/user\n';
  podman.place.writeFile('/tmp/context/Containerfile', file);
  const isolation = ['--isolation', 'oci', '--network', 'none'];
  const build = (...args: string[]) => podman.podman('build', ...isolation, ...args, '/tmp/context');
  const { code, stderr } = await build('--tag', 'image');
  t.equal(code, 0, stderr);
  const { stdout } = await podman.podman('run', '--rm', '--network', 'none', '--cgroup-parent', '/pods', 'image');
  t.equal(stdout, 'built by 0\n1000\n');

  podman.place.writeFile('/tmp/context/Containerfile', 'FROM localhost/busybox\nRUN exit 7\n');
  t.match(await build(), { code: 7, stderr: /exit status 7/ }, 'a failing step fails the build with its code');
});
