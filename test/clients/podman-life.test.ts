/** What podman does around a container: restart policies, logs, events, terminals. */
import { type Result, waitFor } from '../harness/index.ts';
import { type Podman, podmanTest } from './podman.ts';

podmanTest('restart policies', async (t, podman) => {
  const detach = (name: string, policy: string, script: string) =>
    podman.outputOf(
      ...podman.runArguments(['--detach', '--name', name, '--restart', policy, '--init'], 'sh', '-c', script),
    );
  const reaches = (name: string, expected: string) =>
    waitFor(`${name} to be ${expected}`, async () => {
      const format = '{{.State.Status}} {{.RestartCount}} {{.State.ExitCode}}';
      return (await podman.outputOf('inspect', '--format', format, name)) === `${expected}\n` ? true : undefined;
    });
  await detach('failing', 'on-failure:2', 'echo run; exit 3');
  await reaches('failing', 'exited 2 3');
  t.equal(await podman.outputOf('logs', 'failing'), 'run\nrun\nrun\n');

  // Not stopped between two of its runs: podman would start it again all the same.
  await detach('ending', 'unless-stopped', 'test -e /tmp/again && exec sleep 1000; touch /tmp/again');
  await reaches('ending', 'running 1 0');
  await podman.outputOf('stop', '--time', '100', 'ending');
  await reaches('ending', 'exited 1 143');
});

podmanTest('logs that are followed, and events', async (t, podman) => {
  const script = 'echo one; echo error >&2; until test -e /host/go; do sleep 0.1; done; echo two';
  podman.place.writeFile('/tmp/host/there', '');
  const flags = ['--detach', '--name', 'box', '-v', '/tmp/host:/host'];
  await podman.outputOf(...podman.runArguments(flags, 'sh', '-c', script));
  const followed = podman.podman('logs', '--follow', 'box');
  podman.place.writeFile('/tmp/host/go', '');
  t.match(await followed, { code: 0, stdout: 'one\ntwo\n', stderr: 'error\n' });
  t.match(await podman.outputOf('logs', '--tail', '1', '--timestamps', 'box'), /^\d{4}-\S+ two\n$/);

  const events = () =>
    podman.outputOf(
      'events',
      '--stream=false',
      '--since',
      '10m',
      '--filter',
      'container=box',
      '--format',
      '{{.Status}}',
    );
  await waitFor('the cleanup', async () => ((await events()).endsWith('cleanup\n') ? true : undefined));
  t.equal(await events(), 'create\ninit\nstart\ndied\ncleanup\n');
});

podmanTest('run -it and exec -it: the size of the terminal, what is typed, exit codes', async (t, podman) => {
  const sized = 'until [ "$(stty size 2>/dev/null)" = "33 77" ]; do sleep 0.1; done';
  const script = `${sized}; echo ready; read word; echo got $word on $(tty); exit 5`;
  podman.place.writeFile('/tmp/inside.sh', script);
  const file = ['-v', '/tmp/inside.sh:/inside.sh'];
  await podman.outputOf(...podman.runArguments(['--detach', '--name', 'box', ...file], 'sleep', '1000'));
  const run = podman.runArguments(['-it', '--rm', ...file], 'sh', '/inside.sh');
  for (const command of [run, ['exec', '-it', 'box', 'sh', '/inside.sh']]) {
    const { stdout, stderr } = await typeWhenReady(podman, command);
    t.match(stdout, /^ready\r\nword\r\ngot word on \/dev\/pts\/\d\r\ncode 5\r\n$/, `${command[0]}: ${stderr}`);
  }
});

/** Runs it in a terminal of 33 rows and 77 columns, types `word` once it prints `ready`, and prints its exit code. */
function typeWhenReady(podman: Podman, command: string[]): Promise<Result> {
  const until = (text: string) => `until grep -q ${text} /tmp/screen; do sleep 0.1; done`;
  // The input stays open until the end: script(1) ends the session when its input ends.
  const typing = `${until('ready')}; echo word; ${until('^code')}`;
  const session = `stty rows 33 cols 77; ${[...podman.command, ...command].join(' ')}; echo code $?`;
  podman.place.writeFile('/tmp/session.sh', session);
  podman.place.writeFile('/tmp/screen', '');
  return podman.place.run(['sh', '-c', `{ ${typing}; } | script -qfec 'sh /tmp/session.sh' /tmp/screen`]);
}

podmanTest('the network of the host', async (t, podman) => {
  await podman.place.outputOf(['ip', 'link', 'add', 'mark0', 'type', 'veth']);
  const host = ['run', '--rm', '--network', 'host', '--cgroup-parent', '/pods', 'busybox', 'ls', '/sys/class/net'];
  t.match(await podman.outputOf(...host), /^mark0$/m);
  t.notMatch((await podman.run([], 'ls', '/sys/class/net')).stdout, /mark0/);
});
