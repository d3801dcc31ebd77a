/** podman and conmon as root, with the runtime under test in their containers.conf. */
import { requires, waitFor } from '../harness/index.ts';
import { engineTrees } from './engine-tree.ts';
import { podmanTest } from './podman.ts';

podmanTest('podman run in the foreground', async (t, podman) => {
  t.match(await podman.run([], 'echo', 'hello'), { code: 0, stdout: 'hello\n' });
  t.equal((await podman.run([], 'sh', '-c', 'exit 7')).code, 7);
  t.match(await podman.run([], 'no-such-program'), { code: 127, stderr: /executable file .*not found in \$PATH/ });
  t.match(await podman.run([], '/etc/not-executable'), { code: 126, stderr: /permission denied|not permitted/i });
  t.match(await podman.run(['--read-only'], 'touch', '/x'), { code: 1, stderr: /Read-only file system/ });
  t.match((await podman.runOnTerminal([], 'tty')).stdout, /\/dev\/pts\/0/);

  const flags = ['--user', '1000:1000', '--hostname', 'box', '--env', 'A=b', '--workdir', '/tmp', '--cap-drop', 'all'];
  const seen = await podman.run(flags, 'sh', '-c', 'id -u; hostname; echo $A; pwd; grep CapBnd /proc/self/status');
  t.equal(seen.stdout, '1000\nbox\nb\n/tmp\nCapBnd:\t0000000000000000\n');
});

podmanTest('the life of a detached container', async (t, podman) => {
  const detached = ['--detach', '--name', 'box'];
  const script = 'trap "exit 5" TERM; echo logged; while :; do sleep 0.1; done';
  t.match(await podman.podman(...podman.runArguments(detached, 'sh', '-c', script)), { code: 0 });
  const inspect = async (what: string) =>
    (await podman.podman('inspect', '--format', `{{.State.${what}}}`, 'box')).stdout.trim();

  t.match(await podman.podman('exec', 'box', 'sh', '-c', 'echo inside; exit 3'), { code: 3, stdout: 'inside\n' });
  t.equal((await podman.podman('exec', 'box', 'no-such-program')).code, 127);
  t.equal((await podman.podman('exec', 'box', '/etc/not-executable')).code, 126);
  await waitFor('the log', async () => ((await podman.podman('logs', 'box')).stdout === 'logged\n' ? true : undefined));

  t.equal((await podman.podman('pause', 'box')).code, 0);
  t.equal(await inspect('Status'), 'paused');
  t.equal((await podman.podman('unpause', 'box')).code, 0);
  t.equal(await inspect('Status'), 'running');

  t.equal((await podman.podman('stop', '--time', '100', 'box')).code, 0);
  t.equal(`${await inspect('Status')} ${await inspect('ExitCode')}`, 'exited 5', 'stop sends SIGTERM and waits');
  t.equal((await podman.podman('start', 'box')).code, 0, 'and it starts again');
  t.equal((await podman.podman('kill', 'box')).code, 0);
  t.match(await podman.podman('wait', 'box'), { stdout: '137\n' });
  t.equal((await podman.podman('rm', 'box')).code, 0);
  t.equal((await podman.podman('ps', '--all', '--quiet')).stdout, '');
});

/** runc has no option for this. */
const knowsNoCgroup = engineTrees() || requires({ runtime: ['tsrun', 'crun'] });

podmanTest(
  '--cgroups=disabled leaves the container in podman’s own cgroup',
  async (t, podman) => {
    const flags = ['run', '--rm', '--network', 'none', '--cgroups', 'disabled', '--cgroupns', 'host', 'busybox'];
    const { code, stdout, stderr } = await podman.podman(...flags, 'cat', '/proc/self/cgroup');
    t.equal(code, 0, stderr);
    t.notMatch(stdout, /libpod|pods/);
    t.match(stdout, /^0::\//m);
  },
  knowsNoCgroup,
);
