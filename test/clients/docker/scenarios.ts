/** What dockerd's users ask of it, and what must happen; with tsrun below containerd's shim, and as the shim. */
import type { Test } from 'tap';
import { runtimeName, waitFor } from '../../harness/index.ts';
import type { Docker } from '../dockerd.ts';

/** dockerd derives them from the runtime's message, and knows only runc's words. */
const codes =
  runtimeName === 'crun'
    ? { missing: 125, notExecutable: 125, notExecutableExec: 128 }
    : { missing: 127, notExecutable: 126, notExecutableExec: 126 };

/** All that one daemon with its default configuration is asked for. */
export async function everyday(t: Test, docker: Docker): Promise<void> {
  await t.test('run in the foreground', (t) => runsInForeground(t, docker));
  await t.test('what a container may do', (t) => permissions(t, docker));
  await t.test('what a container is given', (t) => resources(t, docker));
  await t.test('namespaces of the host and of others', (t) => namespaces(t, docker));
  await t.test('the life of a detached container', (t) => detached(t, docker));
  await t.test('exec', (t) => exec(t, docker));
  await t.test('health checks and restarts', (t) => health(t, docker));
  await t.test('containers that start at the same time', (t) => manyAtOnce(t, docker));
}

async function runsInForeground(t: Test, docker: Docker) {
  for (const flags of [[], ['--runtime', 'under-test'], ['--runtime', 'runc']])
    t.match(await docker.run(flags, 'echo', 'hello'), { code: 0, stdout: 'hello\n' }, flags.join(' '));
  t.equal((await docker.run([], 'sh', '-c', 'exit 7')).code, 7);
  t.match(await docker.run([], 'no-such-program'), {
    code: codes.missing,
    stderr: /executable file .*not found in \$PATH/,
  });
  t.match(await docker.run([], '/etc/not-executable'), {
    code: codes.notExecutable,
    stderr: /permission denied|not permitted/i,
  });
  t.match((await docker.dockerOnTerminal(...docker.runArguments(['--rm', '-t'], 'tty'))).stdout, /\/dev\/pts\/0/);
  const input = ['docker', ...docker.runArguments(['--rm', '-i'], 'cat')];
  t.match(await docker.place.run(input, { input: 'from outside' }), { code: 0, stdout: 'from outside' });
  t.match(await docker.run(['--init'], 'cat', '/proc/1/comm'), { code: 0, stdout: 'docker-init\n' });
}

async function permissions(t: Test, docker: Docker) {
  t.match(await docker.run(['--read-only'], 'touch', '/x'), { code: 1, stderr: /Read-only file system/ });
  const status = ['grep', '-E', '^(CapEff|NoNewPrivs|Seccomp):', '/proc/self/status'];
  const seen = async (...flags: string[]) => (await docker.run(flags, ...status)).stdout.replace(/.*:\t/g, '');
  const standard = '00000000a80425fb';
  t.equal(await seen(), `${standard}\n0\n2\n`);
  t.equal(await seen('--cap-drop', 'all', '--cap-add', 'chown'), '0000000000000001\n0\n2\n');
  t.equal(await seen('--security-opt', 'no-new-privileges'), `${standard}\n1\n2\n`);
  t.equal(await seen('--security-opt', 'seccomp=unconfined'), `${standard}\n0\n0\n`);
  t.match(await docker.run([], 'unshare', '-U', 'true'), { code: 1, stderr: /not permitted/ }, 'the default profile');

  // In the VM fuse is a module.
  await docker.place.run(['modprobe', 'fuse']);
  const read = 'true </dev/again && echo read; echo >/dev/again';
  const device = await docker.run(['--device', '/dev/fuse:/dev/again:r'], 'sh', '-c', read);
  t.match(device, { stdout: 'read\n', stderr: /not permitted/ }, 'read, but not written');
  const node = 'mknod /dev/again c 10 229 && (true </dev/again)';
  t.match(await docker.run([], 'sh', '-c', node), { code: 1, stderr: /not permitted/ }, 'other devices are closed');
  t.equal((await docker.run(['--privileged'], 'sh', '-c', `${node} && mount -t tmpfs x /tmp`)).code, 0);
}

async function resources(t: Test, docker: Docker) {
  const user = ['--user', '1000:1000', '--group-add', '55', '--hostname', 'box', '--env', 'A=b', '--workdir', '/tmp'];
  const whoami = await docker.run(user, 'sh', '-c', 'id -u; id -G; hostname; echo $A; pwd');
  t.equal(whoami.stdout, '1000\n1000 55\nbox\nb\n/tmp\n');
  const limits = ['--ulimit', 'nofile=100:200', '--oom-score-adj', '100', '--sysctl', 'net.ipv4.ip_forward=1'];
  const files = 'ulimit -n; cat /proc/self/oom_score_adj /proc/sys/net/ipv4/ip_forward';
  t.equal((await docker.run(limits, 'sh', '-c', files)).stdout, '100\n100\n1\n');
  const mounts = ['--tmpfs', '/scratch:size=64k', '--shm-size', '32k', '--volume', '/etc/debian_version:/version:ro'];
  const seen = await docker.run(mounts, 'sh', '-c', 'df -k /scratch /dev/shm | awk "{print \\$2}"; touch /version');
  t.match(seen, { stdout: '1K-blocks\n64\n32\n', stderr: /Read-only file system/ });
  await docker.outputOf('volume', 'create', 'kept');
  t.equal((await docker.run(['--volume', 'kept:/kept'], 'sh', '-c', 'echo 1 >/kept/x')).code, 0);
  t.equal((await docker.run(['--volume', 'kept:/kept'], 'cat', '/kept/x')).stdout, '1\n');
}

async function namespaces(t: Test, docker: Docker) {
  const link = (kind: string) => ['readlink', `/proc/self/ns/${kind}`];
  for (const kind of ['pid', 'ipc', 'uts', 'net', 'cgroup']) {
    const flag = { net: '--network', cgroup: '--cgroupns' }[kind] ?? `--${kind}`;
    const host = await docker.place.outputOf(link(kind));
    t.equal((await docker.run([flag, 'host'], ...link(kind))).stdout, host, `${kind} of the host`);
    t.not((await docker.run([], ...link(kind))).stdout, host, `${kind} of its own`);
  }
  await docker.detach(['--ipc', 'shareable'], 'donor', 'sleep', '1000');
  const join = ['--network', 'container:donor', '--pid', 'container:donor', '--ipc', 'container:donor'];
  const kinds = 'for kind in pid ipc net; do readlink /proc/self/ns/$kind; done; cat /proc/1/comm';
  const donor = await docker.outputOf('exec', 'donor', 'sh', '-c', kinds);
  t.match(donor, /sleep\n$/);
  t.equal((await docker.run(join, 'sh', '-c', kinds)).stdout, donor);
}

/**
 * Seconds until `stop` kills: on a slow machine dockerd's default of 10 may pass before a program has ended by itself.
 */
const grace = '100';

/** Waits until the program has printed this, and so is at work. */
function logged(docker: Docker, name: string, text: string): Promise<true> {
  return waitFor(`the log of ${name}`, async () => (await docker.outputOf('logs', name)) === text || undefined);
}

async function detached(t: Test, docker: Docker) {
  await docker.detach([], 'box', 'sh', '-c', 'trap "exit 5" TERM; echo started; while :; do sleep 0.1; done');
  await logged(docker, 'box', 'started\n');
  t.match(await docker.outputOf('top', 'box'), /sh -c trap/);
  t.match(await docker.outputOf('stats', '--no-stream', 'box'), /box/);
  await docker.outputOf('pause', 'box');
  t.equal(await docker.inspect('box', '.State.Status'), 'paused');
  await docker.outputOf('unpause', 'box');
  docker.place.writeFile('/tmp/copied', 'in and out\n');
  await docker.outputOf('cp', '/tmp/copied', 'box:/copied');
  await docker.outputOf('cp', 'box:/copied', '/tmp/back');
  t.equal(docker.place.readFile('/tmp/back'), 'in and out\n');
  t.match(await docker.outputOf('diff', 'box'), /A \/copied/);

  await docker.outputOf('stop', '-t', grace, 'box');
  t.equal(await docker.outputOf('wait', 'box'), '5\n', 'the trap was reached');
  await docker.outputOf('start', 'box');
  await logged(docker, 'box', 'started\nstarted\n');
  const pid = await docker.inspect('box', '.State.Pid');
  await docker.outputOf('restart', '-t', grace, 'box');
  t.not(await docker.inspect('box', '.State.Pid'), pid);
  t.match(await docker.docker('rm', 'box'), { code: 1, stderr: /container is running/ });
  await docker.outputOf('kill', 'box');
  t.equal(await docker.outputOf('wait', 'box'), '137\n');
  await docker.outputOf('rm', 'box');
  t.match(await docker.docker('inspect', 'box'), { code: 1 });
}

async function exec(t: Test, docker: Docker) {
  await docker.detach([], 'execs', 'sleep', '1000');
  const inside = (...args: string[]) => docker.docker('exec', ...args);
  t.match(await inside('execs', 'sh', '-c', 'cat /proc/1/comm; exit 3'), { code: 3, stdout: 'sleep\n' });
  t.match(await inside('execs', 'no-such-program'), { code: 127, stdout: /executable file .*not found in \$PATH/ });
  const data = await inside('execs', '/etc/not-executable');
  t.match(data, { code: codes.notExecutableExec, stdout: /permission denied|not permitted/i });
  const flags = ['--workdir', '/tmp', '--user', '5:6', '--env', 'A=b'];
  t.match(await inside(...flags, 'execs', 'sh', '-c', 'pwd; id -u; id -g; echo $A'), { stdout: '/tmp\n5\n6\nb\n' });
  const capabilities = await inside('--privileged', 'execs', 'grep', 'CapEff', '/proc/self/status');
  t.match(capabilities.stdout, /CapEff:\t000001ff/);
  t.match((await docker.dockerOnTerminal('exec', '-it', 'execs', 'tty')).stdout, /\/dev\/pts\/0/);
  const input = await docker.place.run(['docker', 'exec', '-i', 'execs', 'cat'], { input: 'from outside' });
  t.match(input, { code: 0, stdout: 'from outside' });
  await docker.outputOf('exec', '--detach', 'execs', 'touch', '/made');
  await waitFor(
    'the detached exec',
    async () => (await inside('execs', 'test', '-e', '/made')).code === 0 || undefined,
  );
}

async function health(t: Test, docker: Docker) {
  const check = ['--health-cmd', 'test -e /healthy', '--health-interval', '200ms', '--health-retries', '1'];
  await docker.detach(check, 'patient', 'sleep', '1000');
  const isNow = (state: string) =>
    waitFor(state, async () => (await docker.inspect('patient', '.State.Health.Status')) === state || undefined);
  await isNow('unhealthy');
  await docker.outputOf('exec', 'patient', 'touch', '/healthy');
  t.ok(await isNow('healthy'));

  await docker.detach(['--restart', 'on-failure:2'], 'phoenix', 'sh', '-c', 'exit 3');
  await waitFor('two restarts', async () => {
    const now = await docker.inspect('phoenix', '.RestartCount}} {{.State.Status');
    return now === '2 exited' || undefined;
  });
  t.equal(await docker.inspect('phoenix', '.State.ExitCode'), '3');
}

async function manyAtOnce(t: Test, docker: Docker) {
  const names = Array.from({ length: 10 }, (_, number) => `many-${number}`);
  const results = await Promise.all(names.map((name) => docker.run(['--name', name], 'echo', name)));
  t.same(
    results.map(({ code, stdout }) => ({ code, stdout })),
    names.map((name) => ({ code: 0, stdout: `${name}\n` })),
  );
}

export async function liveRestore(t: Test, docker: Docker) {
  await docker.detach([], 'live', 'sh', '-c', 'trap "exit 5" TERM; echo started; while :; do sleep 0.1; done');
  await logged(docker, 'live', 'started\n');
  const pid = await docker.inspect('live', '.State.Pid');
  for (const signal of ['TERM', 'KILL'] as const) {
    await docker.stopDaemon(signal);
    await docker.startDaemon();
    t.equal(await docker.inspect('live', '.State.Pid'), pid, `the same process after SIG${signal}`);
    t.equal(await docker.outputOf('exec', 'live', 'cat', '/proc/1/comm'), 'sh\n');
  }
  await docker.outputOf('pause', 'live');
  await docker.outputOf('unpause', 'live');
  await docker.outputOf('stop', '-t', grace, 'live');
  t.equal(await docker.inspect('live', '.State.ExitCode'), '5');
}

export async function mapsUsers(t: Test, docker: Docker) {
  const map = ['cat', '/proc/self/uid_map'];
  t.match((await docker.run([], ...map)).stdout, /^ +0 +100000 +65536\n$/);
  t.match((await docker.run(['--userns', 'host'], ...map)).stdout, /^ +0 +0 +4294967295\n$/);
  const script = 'touch /made; stat -c "%u %g" /made; chown 1000 /made; stat -c %u /made';
  const seen = await docker.run([], 'sh', '-c', script);
  t.equal(seen.stdout, '0 0\n1000\n');
  await docker.detach([], 'mapped', 'sleep', '1000');
  t.match(await docker.outputOf('exec', 'mapped', ...map), /^ +0 +100000 +65536\n$/);
  const pid = await docker.inspect('mapped', '.State.Pid');
  t.equal(await docker.place.outputOf(['stat', '-c', '%u', `/proc/${pid}`]), '100000\n', 'as the host sees it');
}
