/** The resident shim under containerd 1.7 and 2, in place of containerd's own. */
import t, { type Test } from 'tap';
import { repoRoot, waitFor } from '../harness/index.ts';
import { suites } from '../vm/image.ts';
import { Containerd, heard } from './containerd.ts';
import { engineTrees, type Suite } from './engine-tree.ts';
import { ociArchive } from './image.ts';
import { installShim, runOnShim, shimEngines } from './resident-shim.ts';
import * as deaths from './shim-deaths.ts';
import { updates } from './shim-updates.ts';

const skip = engineTrees();
const namespace = 'tsrun-test';

for (const suite of suites) {
  t.test(`containerd of ${suite} with the resident shim`, { skip }, async (t) => {
    const containerd = await startContainerd(t, suite);
    // Must be the first test: nothing runs yet.
    await t.test('two detached tasks, started at once, of one process', (t) => detachedTasks(t, containerd));
    await t.test('run in the foreground', (t) => runsInForeground(t, containerd));
    await t.test('more processes in a task', (t) => execs(t, containerd));
    await t.test('terminals', (t) => terminals(t, containerd));
    await t.test('options', (t) => options(t, containerd));
    await t.test('updates', (t) => updates(t, containerd));
    await t.test('stuck containers', (t) => stuck(t, containerd));
    await t.test('log URIs', (t) => logs(t, containerd));
    await t.test('events', (t) => publishesEvents(t, containerd));
    await t.test('its engine is killed', (t) => deaths.engine(t, containerd));
    await t.test('its engine is killed below terminals', (t) => deaths.engineOfTerminals(t, containerd));
    await t.test('containerd is killed', (t) => deaths.ofContainerd(t, containerd));
    await t.test('its keeper is killed', (t) => deaths.keeper(t, containerd));
  });
}

async function startContainerd(t: Test, suite: Suite): Promise<Containerd> {
  const containerd = await Containerd.start(t, suite);
  installShim(containerd.place);
  return containerd;
}

async function runsInForeground(t: Test, containerd: Containerd) {
  const run = (id: string, ...args: string[]) => containerd.ctr(...runOnShim(['--rm'], id, ...args));
  const hello = await heard(['stdout'], () => run('hello', 'echo', 'hello'));
  t.match(hello, { code: 0, stdout: 'hello\n' });
  t.equal((await run('seven', 'sh', '-c', 'exit 7')).code, 7, 'the exit code is the program’s');
  const missing = await run('missing', 'no-such-program');
  t.match(missing.stderr, /OCI runtime create failed: .*executable file .*not found in \$PATH/);
  t.equal(await containerd.outputOf('task', 'ls', '--quiet'), '', 'no task is left');
}

async function detachedTasks(t: Test, containerd: Containerd) {
  const { place } = containerd;
  const task = (...args: string[]) => containerd.ctr('task', ...args);
  const program = 'trap "exit 5" TERM; : >/ready; while :; do sleep 0.1; done';
  const ids = ['one', 'two'];
  await Promise.all(ids.map((id) => containerd.outputOf(...runOnShim(['--detach'], id, 'sh', '-c', program))));
  for (const id of ids) {
    t.equal(await containerd.status(id), 'RUNNING');
    const root = `/proc/${await containerd.pid(id)}/root`;
    await waitFor(
      `${id} to be ready`,
      async () => (await place.run(['test', '-e', `${root}/ready`])).code === 0 || undefined,
    );
  }
  t.equal((await shimEngines(place)).length, 1, 'one process has both');
  const tsrun = [`${repoRoot}/bin/tsrun`, '--root', `/run/containerd/tsrun/${namespace}`];
  t.match(await place.outputOf([...tsrun, 'list', '--quiet']), 'one\ntwo\n', 'the CLI sees them');
  t.match(await place.outputOf(['ctr', '--namespace', namespace, 'task', 'ps', 'one']), await containerd.pid('one'));

  t.match(await containerd.outputOf('task', 'metrics', '--format', 'json', 'one'), /"usage_usec": ?[1-9]/);

  await containerd.outputOf('task', 'pause', 'one');
  t.equal(await containerd.status('one'), 'PAUSED');
  await place.outputOf([...tsrun, 'resume', 'one']);
  t.equal(await containerd.status('one'), 'RUNNING', 'what the CLI does is seen');
  t.match((await task('delete', 'one')).stderr, /must be stopped before deletion/);

  for (const [id, signal, code] of [
    ['one', 'TERM', 5],
    ['two', 'KILL', 137],
  ] as const) {
    t.equal((await task('kill', '--signal', signal, id)).code, 0);
    await containerd.waitForStatus(id, 'STOPPED');
    t.match((await task('kill', id)).stderr, /process already finished/);
    t.match(
      (await task('delete', id)).stderr,
      new RegExp(`non-zero exit code ${code}`),
      'delete reports how the task ended',
    );
    await containerd.outputOf('container', 'delete', id);
  }
  t.equal(await place.outputOf([...tsrun, 'list', '--quiet']), '', 'no state is left');
  t.notMatch(
    await place.outputOf(['cat', '/proc/mounts']),
    /io\.containerd\.runtime\.v2\.task\/.*rootfs/,
    'nor a mount',
  );
}

async function execs(t: Test, containerd: Containerd) {
  const { place } = containerd;
  await containerd.outputOf(...runOnShim(['--detach', '--env', 'A=task'], 'host', 'sleep', '1000'));
  const exec = (id: string, ...args: string[]) => ['task', 'exec', '--exec-id', id, 'host', ...args];
  const inside = await heard(['stdout'], () =>
    containerd.ctr(...exec('one', 'sh', '-c', 'cat /proc/1/comm; echo $A; exit 3')),
  );
  t.match(inside, { code: 3, stdout: 'sleep\ntask\n' }, 'an id is free again when its process is deleted');
  const ctr = ['ctr', '--namespace', namespace];
  const input = await place.run([...ctr, ...exec('input', 'sh', '-c', 'read line; echo got $line >/got')], {
    input: 'a line\n',
  });
  t.equal(input.code, 0);
  const root = `/proc/${await containerd.pid('host')}/root`;
  t.equal(await place.outputOf(['cat', `${root}/got`]), 'got a line\n');
  const missing = await containerd.ctr(...exec('missing', 'no-such-program'));
  t.match(missing.stderr, /OCI runtime exec failed: .*executable file .*not found in \$PATH/);

  const events = await containerd.watchEvents();
  const script = 'trap "exit 6" TERM; : >/ready; while :; do sleep 0.1; done';
  const running = containerd.ctr(...exec('signalled', 'sh', '-c', script));
  await waitFor(
    'the process to be ready',
    async () => (await place.run(['test', '-e', `${root}/ready`])).code === 0 || undefined,
  );
  t.match((await containerd.ctr(...exec('signalled', 'true'))).stderr, /already exists/);
  await containerd.outputOf('task', 'kill', '--exec-id', 'signalled', '--signal', 'TERM', 'host');
  t.equal((await running).code, 6);
  const told = () => ['exec-added', 'exec-started', 'exit'].every((topic) => isTold(topic, events.output.stdout));
  await waitFor('the events', () => told() || undefined);

  await containerd.outputOf('task', 'pause', 'host');
  t.match((await containerd.ctr(...exec('paused', 'true'))).stderr, /paused/);
  await containerd.outputOf('task', 'resume', 'host');

  const last = containerd.ctr(...exec('last', 'sleep', '1000'));
  await waitFor('the last process', async () => {
    const pids = await containerd.outputOf('task', 'ps', 'host');
    return pids.trim().split('\n').length === 3 || undefined;
  });
  await containerd.outputOf('task', 'kill', '--signal', 'KILL', 'host');
  t.equal((await last).code, 137, 'it ends with the task');
  await containerd.waitForStatus('host', 'STOPPED');
  t.match((await containerd.ctr(...exec('late', 'true'))).stderr, /stopped|not running/);
  await containerd.ctr('task', 'delete', 'host');
  await containerd.outputOf('container', 'delete', 'host');
}

function isTold(topic: string, events: string): boolean {
  return new RegExp(`/tasks/${topic} .*signalled`).test(events);
}

/** ctr sets the task's size to its own terminal's, here 77 columns, only after the start. */
const tellSize = 'until [ "$(stty size)" = "33 77" ]; do sleep 0.1; done; tty; stty size; echo on stderr >&2; exit 4';

async function terminals(t: Test, containerd: Containerd) {
  const onTerminal = (...args: string[]) => heard(['stdout'], () => containerd.ctrOnTerminal(...args));
  const seen = { code: 4, stdout: /\/dev\/pts\/\d\r+\n33 77\r+\non stderr\r+\n/ };
  t.match(await onTerminal(...runOnShim(['--rm', '--tty'], 'terminal', 'sh', '-c', tellSize)), seen);
  const echo = 'while read line; do echo "<$line>"; [ "$line" = end ] && exit 7; done';
  t.equal((await containerd.ctrOnTerminal(...runOnShim(['--detach', '--tty'], 'host', 'sh', '-c', echo))).code, 0);
  const exec = ['task', 'exec', '--tty', '--exec-id', 'one', 'host', 'sh', '-c', tellSize];
  t.match(await onTerminal(...exec), seen, 'exec');
  const attach = (lines: string) => {
    const ctr = `ctr --namespace ${namespace} task attach host`;
    return containerd.place.startDaemon(['sh', '-c', `(${lines}; sleep 1000) | script -qec '${ctr}' /dev/null`]);
  };
  const first = attach('echo first');
  await waitFor('the first client’s line', () => first.output.stdout.includes('<first>') || undefined);
  await containerd.place.outputOf(['pkill', '-KILL', '-f', '^ctr .* task attach']);
  const second = attach('echo second; echo end');
  await waitFor('the second client’s lines', () => second.output.stdout.includes('<end>') || undefined);
  t.match(second.output.stdout, /<second>/, 'a second client comes to the same terminal');
  // A client that sees the task end deletes it.
  await waitFor('the task to be gone', async () => (await containerd.status('host')) === undefined || undefined);
  await containerd.outputOf('container', 'delete', 'host');
}

async function options(t: Test, containerd: Containerd) {
  const { place } = containerd;
  const table = ['Root = "/other/root"', 'IoUid = 77', 'IoGid = 78', 'NoPivotRoot = true', 'Grouping = "namespace"'];
  place.writeFile('/etc/shim.toml', `${table.join('\n')}\n`);
  const flags = ['--runtime-config-path', '/etc/shim.toml'];
  await containerd.outputOf(...runOnShim(['--detach', ...flags], 'placed', 'sleep', '1000'));
  const before = await shimEngines(place);
  const owners = await heard(['stdout'], () =>
    containerd.ctr(...runOnShim(['--rm', ...flags], 'owners', 'stat', '-Lc', '%u %g', '/proc/self/fd/1')),
  );
  t.match(owners, { code: 0, stdout: '77 78\n' });
  const others = (await shimEngines(place)).filter((pid) => !before.includes(pid));
  t.strictSame(others, [], 'the same engine as for the first');
  t.equal(
    await place.outputOf([`${repoRoot}/bin/tsrun`, '--root', `/other/root/${namespace}`, 'list', '-q']),
    'placed\n',
  );
  await aloneInNamespace(t, containerd, flags);
  await containerd.remove('placed');
  place.writeFile('/etc/shim.toml', 'Rooot = "/"\n');
  const wrong = await containerd.ctr(...runOnShim(['--rm', ...flags], 'wrong', 'true'));
  t.match(wrong.stderr, /option Rooot: unknown; did you mean "Root"/);
}

/** With Grouping "namespace": one of another namespace has an engine of its own. */
async function aloneInNamespace(t: Test, containerd: Containerd, flags: string[]) {
  const { place } = containerd;
  const ctr = (...args: string[]) => place.outputOf(['ctr', '--namespace', 'other', ...args]);
  const tsrun = (...args: string[]) =>
    place.outputOf([`${repoRoot}/bin/tsrun`, '--root', '/other/root/other', ...args]);
  const before = await shimEngines(place);
  await ctr('image', 'import', ociArchive(place.sandbox.directory));
  for (const id of ['far', 'farther']) await ctr(...runOnShim(['--detach', ...flags], id, 'sleep', '1000'));
  const own = (await shimEngines(place)).filter((pid) => !before.includes(pid));
  t.equal(own.length, 1, 'one engine for both of the namespace');
  t.equal(await tsrun('list', '-q'), 'far\nfarther\n');
  for (const id of ['far', 'farther']) {
    await ctr('task', 'kill', '--signal', 'KILL', id);
    await waitFor(`${id} to end`, async () => /STOPPED/.test(await ctr('task', 'ls')) || undefined);
    // This exits with the task's code.
    await place.run(['ctr', '--namespace', 'other', 'task', 'delete', id]);
    await ctr('container', 'delete', id);
  }
  await waitFor('its engine to leave', async () => !(await shimEngines(place)).includes(own[0] ?? '') || undefined);
  t.equal(await containerd.status('placed'), 'RUNNING');
}

/** One whose reader never reads, one that is frozen: the others must not notice. */
async function stuck(t: Test, containerd: Containerd) {
  const { place } = containerd;
  await containerd.outputOf(...runOnShim(['--detach'], 'loud', 'sh', '-c', 'while :; do echo y; done'));
  await containerd.outputOf(...runOnShim(['--detach'], 'frozen', 'sleep', '1000'));
  await containerd.outputOf('task', 'pause', 'frozen');
  const loud = await containerd.pid('loud');
  // Its write waits for room in the FIFO.
  await waitFor('a full FIFO', async () =>
    (await place.outputOf(['cat', `/proc/${loud}/wchan`])).includes('pipe') ? true : undefined,
  );
  for (const number of [1, 2, 3])
    t.equal((await containerd.ctr(...runOnShim(['--rm'], `next-${number}`, 'true'))).code, 0);
  t.equal((await containerd.ctr('task', 'exec', '--exec-id', 'one', 'loud', 'true')).code, 0, 'exec in the loud one');
  t.equal(await containerd.status('frozen'), 'PAUSED');
  await containerd.remove('loud');
  await containerd.outputOf('task', 'kill', '--signal', 'KILL', 'frozen');
  await containerd.outputOf('task', 'resume', 'frozen').catch(() => undefined);
  await containerd.waitForStatus('frozen', 'STOPPED');
  await containerd.ctr('task', 'delete', 'frozen');
  await containerd.outputOf('container', 'delete', 'frozen');
}

async function logs(t: Test, containerd: Containerd) {
  const { place } = containerd;
  const isThere = async (path: string) => (await place.run(['test', '-e', path])).code === 0 || undefined;
  place.writeFile('/logger', '#!/bin/sh\nexec 5>&-\necho "$CONTAINER_ID $1 $2" >/said\ncat <&3 >>/said\n', 0o755);
  const script = 'echo one; : >/first; until [ -e /go ]; do sleep 0.1; done; echo two >&2; echo three';
  const run = (uri: string, id: string) =>
    containerd.outputOf(...runOnShim(['--detach', '--log-uri', uri], id, 'sh', '-c', script));
  await run('file:///logs/a%20file', 'filed');
  await run('binary:///logger?-a=b', 'told');
  const roots = await Promise.all(['filed', 'told'].map(async (id) => `/proc/${await containerd.pid(id)}/root`));
  for (const root of roots) await waitFor('the first line', () => isThere(`${root}/first`));
  await deaths.killEngine(containerd);
  await place.outputOf(['touch', ...roots.map((root) => `${root}/go`)]);
  for (const id of ['filed', 'told']) {
    await containerd.waitForStatus(id, 'STOPPED');
    await containerd.outputOf('task', 'delete', id);
    await containerd.outputOf('container', 'delete', id);
  }
  t.match((await place.outputOf(['cat', '/logs/a file'])).split('\n').sort(), ['', 'one', 'three', 'two']);
  t.equal(await place.outputOf(['cat', '/said']), 'told -a b\none\nthree\n');
}

async function publishesEvents(t: Test, containerd: Containerd) {
  const events = await containerd.watchEvents();
  await containerd.ctr(...runOnShim(['--rm'], 'told', 'true'));
  for (const topic of ['create', 'start', 'exit', 'delete']) {
    const isHeard = () => events.output.stdout.includes(`/tasks/${topic} {"container_id":"told"`);
    t.equal(await waitFor(`the event of ${topic}`, () => isHeard() || undefined), true);
  }
}
