/** What containerd's users see when one of the resident shim's processes is killed, or containerd itself. */
import type { Test } from 'tap';
import { repoRoot, waitFor } from '../harness/index.ts';
import { type Containerd, heard } from './containerd.ts';
import { runOnShim, shimEngines } from './resident-shim.ts';

const namespace = 'tsrun-test';

/** Kills the engine, as the kernel does when memory runs out. */
export async function killEngine({ place }: Containerd): Promise<void> {
  // One of another group, from an earlier test, may still be about to leave.
  const before = await waitFor('the only engine', async () => {
    const [first, ...others] = await shimEngines(place);
    return others.length === 0 ? first : undefined;
  });
  await place.outputOf(['kill', '-KILL', before]);
  await waitFor('another engine', async () => {
    const [now] = await shimEngines(place);
    return (now !== undefined && now !== before) || undefined;
  });
}

/** Nothing of a container is lost with it. */
export async function engine(t: Test, containerd: Containerd) {
  const { place } = containerd;
  const events = await containerd.watchEvents();
  const script = 'trap "exit 9" TERM; n=0; while :; do echo $n; n=$((n+1)); sleep 0.1; done';
  // Nobody reads what it writes: the FIFO must not lose its last reader.
  await containerd.outputOf(...runOnShim(['--detach'], 'box', 'sh', '-c', script));
  const exec = containerd.ctr(
    'task',
    'exec',
    '--exec-id',
    'one',
    'box',
    'sh',
    '-c',
    'trap "exit 8" TERM; : >/ready; while :; do sleep 0.1; done',
  );
  const root = `/proc/${await containerd.pid('box')}/root`;
  await waitFor('the process of exec', () => isThere(containerd, `${root}/ready`));
  const foreground = containerd.ctr(
    ...runOnShim(['--rm'], 'foreground', 'sh', '-c', ': >/ready; until [ -e /go ]; do sleep 0.1; done; exit 5'),
  );
  await containerd.waitForStatus('foreground', 'RUNNING');
  const pid = await containerd.pid('box');
  const inside = `/proc/${await containerd.pid('foreground')}/root`;

  await killEngine(containerd);
  // containerd gives an answer 2 s, and says UNKNOWN if the next engine takes longer to start.
  await containerd.waitForStatus('box', 'RUNNING');
  t.equal(await containerd.pid('box'), pid);
  await containerd.outputOf('task', 'kill', '--exec-id', 'one', '--signal', 'TERM', 'box');
  t.equal((await exec).code, 8, 'a Wait from before is answered');
  const later = await heard(['stdout'], () =>
    containerd.ctr('task', 'exec', '--exec-id', 'two', 'box', 'echo', 'hello'),
  );
  t.match(later, { code: 0, stdout: 'hello\n' });

  await killEngine(containerd);
  await place.outputOf(['touch', `${inside}/go`]);
  t.equal((await foreground).code, 5, 'and so it is for a task');
  // It ends while there is no engine.
  const [engine = ''] = await shimEngines(place);
  await place.outputOf([
    'sh',
    '-c',
    `kill -STOP ${engine}; kill -TERM ${pid}; while kill -0 ${pid} 2>/dev/null && ! grep -q 'State:.Z' /proc/${pid}/status; do :; done; kill -KILL ${engine}`,
  ]);
  await containerd.waitForStatus('box', 'STOPPED');
  await waitFor('its exit event', () => /\/tasks\/exit .*"box".*"box"/.test(events.output.stdout) || undefined);
  t.match((await containerd.ctr('task', 'delete', 'box')).stderr, /non-zero exit code 9/);
  await containerd.outputOf('container', 'delete', 'box');
}

const echo = 'while read line; do echo "<$line>"; [ "$line" = end ] && exit 7; done';

/** A client of before and one of after come to the same terminal. */
export async function engineOfTerminals(t: Test, containerd: Containerd) {
  const { place } = containerd;
  const ctr = `ctr --namespace ${namespace} task`;
  t.equal((await containerd.ctrOnTerminal(...runOnShim(['--detach', '--tty'], 'host', 'sh', '-c', echo))).code, 0);
  // Each line of these files is what somebody types.
  const client = (name: string, command: string) =>
    place.startDaemon(['sh', '-c', `touch /tmp/${name}; tail -f /tmp/${name} | script -qec '${command}' /dev/null`]);
  const type = (name: string, line: string) => place.outputOf(['sh', '-c', `echo ${line} >>/tmp/${name}`]);
  const first = client('first', `${ctr} attach host`);
  const exec = client(
    'exec',
    `${ctr} exec --tty --exec-id one host sh -c "${echo.replaceAll('"', '\\"').replaceAll('$', '\\$')}"`,
  );
  const hears = (who: typeof first, text: string) => waitFor(text, () => who.output.stdout.includes(text) || undefined);
  await type('first', 'before');
  await hears(first, '<before>');
  await type('exec', 'inside');
  await hears(exec, '<inside>');
  await killEngine(containerd);
  await type('exec', 'still');
  await hears(exec, '<still>');
  await type('first', 'after');
  await hears(first, '<after>');
  await place.outputOf(['pkill', '-KILL', '-f', '^ctr .* task attach']);
  const second = client('second', `${ctr} attach host`);
  await type('second', 'second');
  await hears(second, '<second>');
  await type('exec', 'end');
  t.equal((await exec.done).code, 7, 'the exit code of exec’s');
  await type('second', 'end');
  await hears(second, '<end>');
  await waitFor('the task to be gone', async () => (await containerd.status('host')) === undefined || undefined);
  await containerd.outputOf('container', 'delete', 'host');
}

/** A containerd that comes back finds its tasks as they are by then. */
export async function ofContainerd(t: Test, containerd: Containerd) {
  const { place } = containerd;
  const script = 'trap "exit 6" TERM; : >/ready; while :; do sleep 0.1; done';
  const ids = ['stays', 'ends'];
  for (const id of ids) await containerd.outputOf(...runOnShim(['--detach'], id, 'sh', '-c', script));
  const pids = await Promise.all(ids.map((id) => containerd.pid(id)));
  const [stays = '', ends = ''] = pids;
  for (const pid of pids) await waitFor('a ready container', () => isThere(containerd, `/proc/${pid}/root/ready`));
  await containerd.killDaemon();
  await place.outputOf(['kill', '-TERM', ends]);
  await waitFor('its end', async () => (await isThere(containerd, `/proc/${ends}`)) === undefined || undefined);
  await containerd.startDaemon();

  t.equal(await containerd.status('stays'), 'RUNNING');
  t.equal(await containerd.pid('stays'), stays);
  await containerd.waitForStatus('ends', 'STOPPED');
  t.match((await containerd.ctr('task', 'delete', 'ends')).stderr, /non-zero exit code 6/, 'an exit of meanwhile');
  const events = await containerd.watchEvents();
  const hello = await heard(['stdout'], () =>
    containerd.ctr('task', 'exec', '--exec-id', 'one', 'stays', 'echo', 'hello'),
  );
  t.match(hello, { code: 0, stdout: 'hello\n' });
  await waitFor('its exit event', () => /\/tasks\/exit .*"one"/.test(events.output.stdout) || undefined);
  const attached = containerd.ctr('task', 'attach', 'stays');
  await containerd.outputOf('task', 'kill', '--signal', 'TERM', 'stays');
  // It deletes the task whose end it sees; if it came too late, there is nothing to attach to.
  const { code, stderr } = await attached;
  if (code !== 6) {
    t.match(stderr, /stopped|not found/);
    await containerd.waitForStatus('stays', 'STOPPED');
    t.match((await containerd.ctr('task', 'delete', 'stays')).stderr, /non-zero exit code 6/);
  }
  await waitFor('its exit event', () => /\/tasks\/exit .*"stays".*"stays"/.test(events.output.stdout) || undefined);
  for (const id of ids) await containerd.outputOf('container', 'delete', id);
}

/** containerd has its containers ended, as it does when any shim dies; the next container is as the first. */
export async function keeper(t: Test, containerd: Containerd) {
  const { place } = containerd;
  await containerd.outputOf(...runOnShim(['--detach'], 'box', 'sleep', '1000'));
  const foreground = containerd.ctr(...runOnShim(['--rm'], 'foreground', 'sleep', '1000'));
  await containerd.waitForStatus('foreground', 'RUNNING');
  const pids = await Promise.all(['box', 'foreground'].map((id) => containerd.pid(id)));
  const events = await containerd.watchEvents();
  await place.outputOf(['pkill', '-KILL', 'tsrun-shim-keep']);
  t.match(await foreground, { code: 1, stderr: /ttrpc: closed/ }, 'whoever waits is told, as by containerd’s own shim');
  for (const id of ['box', 'foreground']) {
    const event = new RegExp(`/tasks/exit .*"id":"${id}".*"exit_status":137`);
    t.ok(await waitFor(`the exit event of ${id}`, () => event.test(events.output.stdout) || undefined));
  }
  await waitFor('the task to be gone', async () => (await containerd.status('box')) === undefined || undefined);
  for (const pid of pids) {
    await waitFor('its end', async () => (await isThere(containerd, `/proc/${pid}`)) === undefined || undefined);
  }
  await waitFor('the engine to be gone', async () => (await shimEngines(place)).length === 0 || undefined);
  const tsrun = [`${repoRoot}/bin/tsrun`, '--root', `/run/containerd/tsrun/${namespace}`];
  t.equal(await place.outputOf([...tsrun, 'list', '--quiet']), '', 'no state is left');
  t.notMatch(
    await place.outputOf(['cat', '/proc/mounts']),
    /io\.containerd\.runtime\.v2\.task\/.*rootfs/,
    'nor a mount',
  );
  t.equal(
    await place.outputOf(['sh', '-c', 'ls -d /sys/fs/cgroup/box /sys/fs/cgroup/foreground 2>/dev/null || :']),
    '',
    'nor a cgroup',
  );
  t.equal(await place.outputOf(['sh', '-c', 'find /run/containerd/s/*.tasks -type f']), '', 'nor a note');
  await containerd.outputOf('container', 'delete', 'box');
  await containerd.ctr('container', 'delete', 'foreground');

  const again = await heard(['stdout'], () =>
    containerd.ctr(...runOnShim(['--rm'], 'box', 'sh', '-c', 'echo hi; exit 3')),
  );
  t.match(again, { code: 3, stdout: 'hi\n' });
}

async function isThere({ place }: Containerd, path: string): Promise<true | undefined> {
  return (await place.run(['test', '-e', path])).code === 0 || undefined;
}
