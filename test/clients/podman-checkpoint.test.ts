/** podman container checkpoint and restore, with the runtime under test. */
import { readFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { cHelper, waitFor } from '../harness/index.ts';
import { engineCheckpoints, enterWithCriu, lockNothing } from './checkpoints.ts';
import { Podman, parents } from './podman.ts';

t.setTimeout(30 * 60 * 1000);
const skip = await engineCheckpoints();
const needsTracking = await engineCheckpoints('mem_dirty_track');

/** It prints a number that grows by one. */
const counter = ['sh', '-c', 'n=0; while :; do n=$((n+1)); echo $n; sleep 0.1; done'];

const enter = async (t: Test) => Podman.createIn(t, await enterWithCriu(t, parents));

async function startCounter(podman: Podman): Promise<void> {
  lockNothing(podman.place);
  await podman.outputOf(...podman.runArguments(['--detach', '--name', 'box'], ...counter));
  await counts(podman, 'box');
}

/** Waits until it has counted on, and returns all it has printed. */
async function counts(podman: Podman, name: string, after = 0): Promise<number[]> {
  return waitFor(`${name} to count`, async () => {
    const numbers = (await podman.outputOf('logs', name)).trim().split('\n').map(Number);
    return (numbers.at(-1) ?? 0) > after ? numbers : undefined;
  });
}

/** Checks that a container goes on where another one has stopped; podman gives it that one's log, too. */
async function goesOn(t: Test, podman: Podman, name: string, from: string): Promise<void> {
  const last = (await counts(podman, from)).at(-1) ?? 0;
  const numbers = await counts(podman, name, last + 3);
  const [first = 0] = numbers;
  t.same(
    numbers,
    [...numbers.keys()].map((n) => n + first),
    'no number is missing, and none comes twice',
  );
}

const state = async (podman: Podman, what: string, name = 'box') =>
  (await podman.outputOf('inspect', '--format', `{{.State.${what}}}`, name)).trim();

interface Printed {
  container_statistics: { criu_statistics: object }[];
}

t.test('podman checkpoint and restore in place, with statistics', { skip }, async (t) => {
  const podman = await enter(t);
  await startCounter(podman);
  const saved = await podman.outputOf('container', 'checkpoint', '--keep', '--print-stats', 'box');
  const { container_statistics: dumped } = JSON.parse(saved) as Printed;
  t.match(dumped, [{ criu_statistics: { freezing_time: Number, pages_written: Number } }]);
  t.equal(await state(podman, 'Status'), 'exited');
  t.equal(await state(podman, 'Checkpointed'), 'true');
  t.match(
    await podman.place.outputOf(['ls', await state(podman, 'CheckpointLog')]),
    'dump.log',
    '--keep keeps its log',
  );
  const before = await counts(podman, 'box');
  const back = await podman.outputOf('container', 'restore', '--keep', '--print-stats', 'box');
  const { container_statistics: restored } = JSON.parse(back) as Printed;
  t.match(restored, [{ criu_statistics: { forking_time: Number, pages_restored: Number } }]);
  const numbers = await counts(podman, 'box', before.at(-1));
  t.same(
    numbers,
    [...numbers.keys()].map((n) => n + 1),
    'no number is missing, and none comes twice',
  );
  t.equal(await podman.outputOf('exec', 'box', 'cat', '/proc/1/comm'), 'sh\n');
  await podman.outputOf('kill', 'box');
  t.equal((await podman.outputOf('wait', 'box')).trim(), '137');
});

t.test('podman checkpoint --export, and restore under another name', { skip }, async (t) => {
  const podman = await enter(t);
  await startCounter(podman);
  await podman.outputOf('exec', 'box', 'sh', '-c', 'echo kept > /etc/file');
  await podman.outputOf('container', 'checkpoint', '--leave-running', '--export', '/tmp/copy.tar', 'box');
  t.equal(await state(podman, 'Status'), 'running');
  const { length } = await counts(podman, 'box');
  await counts(podman, 'box', length + 3);
  await podman.outputOf('container', 'checkpoint', '--export', '/tmp/box.tar', 'box');
  await podman.outputOf('container', 'restore', '--import', '/tmp/box.tar', '--name', 'other');
  await goesOn(t, podman, 'other', 'box');
  t.equal(await podman.outputOf('exec', 'other', 'cat', '/etc/file'), 'kept\n');
});

t.test('podman checkpoint --pre-checkpoint and --with-previous', { skip: needsTracking }, async (t) => {
  const podman = await enter(t);
  await startCounter(podman);
  await podman.outputOf('container', 'checkpoint', '--pre-checkpoint', '--export', '/tmp/pre.tar', 'box');
  t.equal(await state(podman, 'Status'), 'running');
  await podman.outputOf('container', 'checkpoint', '--with-previous', '--export', '/tmp/box.tar', 'box');
  const both = ['--import-previous', '/tmp/pre.tar', '--import', '/tmp/box.tar'];
  await podman.outputOf('container', 'restore', ...both, '--name', 'other');
  await goesOn(t, podman, 'other', 'box');
});

/** Until the returned function is called, no packet leaves for the address. */
async function heldBack({ place }: Podman, address: string): Promise<() => Promise<unknown>> {
  const rules = `table ip held {
    chain out { type filter hook output priority 0; ip daddr ${address} drop; }
  }`;
  const file = '/tmp/held.nft';
  place.writeFile(file, rules);
  await place.outputOf(['nft', '--file', file]);
  return () => place.outputOf(['nft', 'delete', 'table', 'ip', 'held']);
}

t.test('podman checkpoint --tcp-established: a client on the bridge stays connected', { skip }, async (t) => {
  const podman = await enter(t);
  const { place } = podman;
  place.writeFile('/opt/bin/talk', readFileSync(cHelper('talk')), 0o755);
  const flags = ['--detach', '--name', 'box', '--cgroup-parent', '/pods', '--network', 'podman'];
  await podman.outputOf('run', ...flags, '--volume', '/opt/bin:/opt', 'busybox', '/opt/talk', 'serve', '7000');
  const address = (await podman.outputOf('inspect', '--format', '{{.NetworkSettings.IPAddress}}', 'box')).trim();
  const client = place.startDaemon(['/opt/bin/talk', 'ask', address, '7000']);
  const answers = (after: number) =>
    waitFor('answers', () => {
      if (client.output.stderr !== '') throw new Error(`the client: ${client.output.stderr}`);
      const { length } = client.output.stdout.trim().split('\n');
      return length > after ? length : undefined;
    });
  const before = await answers(5);
  const refused = await podman.podman('container', 'checkpoint', 'box');
  t.not(refused.code, 0, 'without the flag it is refused');
  await answers(before + 5);
  // podman plugs the network in before the runtime restores: the kernel resets what comes in between.
  const letThrough = await heldBack(podman, address);
  await podman.outputOf('container', 'checkpoint', '--tcp-established', '--export', '/tmp/box.tar', 'box');
  await podman.outputOf('rm', 'box');
  await podman.outputOf('container', 'restore', '--tcp-established', '--import', '/tmp/box.tar');
  await letThrough();
  await answers((await answers(0)) + 5);
  t.equal(client.output.stderr, '', 'the same server answers on the same connection');
});
