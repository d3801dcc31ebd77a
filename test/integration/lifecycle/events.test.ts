/** `events` and `stats`: what a container uses, seen from outside. */
import t, { type Test } from 'tap';
import {
  type Differences,
  isExempt,
  type Needs,
  requires,
  runtimeName,
  type Sandbox,
  type Spec,
  sandbox,
  says,
  waitFor,
} from '../../harness/index.ts';

const needs = (more: Needs = {}, differs: Differences = {}) =>
  requires({ root: true, cgroup2: true, ...more, differs: { crun: 'has no events', ...differs } });

async function running(box: Sandbox, args: string[], edit?: (spec: Spec) => void): Promise<string> {
  const bundle = box.bundle((spec) => {
    spec.process.args = args;
    edit?.(spec);
  });
  return box.createAndStart(bundle);
}

async function statsOf(box: Sandbox, id: string) {
  return JSON.parse((await box.runtimeOk(['events', '--stats', id])).stdout);
}

t.test('events --stats is one event of runc’s shape', { skip: needs() }, async (t) => {
  const box = sandbox(t);
  const id = await running(box, ['sleep', '1000']);
  const { type, id: named, data } = await statsOf(box, id);
  t.equal(type, 'stats');
  t.equal(named, id);
  t.type(data.cpu.usage.total, 'number');
});

t.test('cpu time grows with work', { skip: needs() }, async (t) => {
  const box = sandbox(t);
  const id = await running(box, ['sh', '-c', 'while :; do :; done']);
  const first = (await statsOf(box, id)).data.cpu.usage.total;
  await waitFor('more cpu time', async () =>
    (await statsOf(box, id)).data.cpu.usage.total > first ? true : undefined,
  );
  t.ok(first > 0);
});

t.test('memory, pids and pressure', { skip: needs({ controllers: ['memory', 'pids'] }) }, async (t) => {
  const box = sandbox(t);
  const id = await running(box, ['sleep', '1000'], (spec) => {
    spec.linux.resources = { memory: { limit: 67_108_864, swap: 67_108_864 }, pids: { limit: 9 } };
  });
  const { data } = await statsOf(box, id);
  t.equal(data.memory.usage.limit, 67_108_864);
  t.equal(data.memory.swap.limit, 67_108_864);
  t.ok(data.memory.usage.usage > 0 && data.memory.raw.anon > 0);
  t.strictSame(data.pids, { current: 1, limit: 9 });
});

const noTraffic = { runc: 'counts only interfaces that it has made itself' };

t.test('traffic of the container’s own network namespace', { skip: needs({}, noTraffic) }, async (t) => {
  const box = sandbox(t);
  const id = await running(box, ['sh', '-c', 'ip link add d0 type veth; sleep 1000'], (spec) => {
    for (const set of ['bounding', 'effective', 'permitted'] as const)
      spec.process.capabilities?.[set]?.push('CAP_NET_ADMIN');
  });
  const interfaces = async () => (await statsOf(box, id)).data.network_interfaces as { Name: string }[];
  await waitFor('the interface', async () =>
    (await interfaces()).some(({ Name }) => Name === 'd0') ? true : undefined,
  );
  t.notOk((await interfaces()).some(({ Name }) => Name === 'lo'));
});

t.test('events go on until the container ends', { skip: needs() }, async (t) => {
  const box = sandbox(t);
  const id = await running(box, ['sleep', '1000']);
  const events = box.startRuntime(['events', '--interval', '50ms', id]);
  await waitFor('two events', () => (events.output.stdout.split('\n').length > 2 ? true : undefined));
  await box.runtimeOk(['kill', id, 'KILL']);
  const { code, stdout } = await events.done;
  t.equal(code, 0);
  for (const line of stdout.trim().split('\n')) t.equal(JSON.parse(line).type, 'stats');
});

/** Runs a script in 16 MiB of memory while `events` watches its container. */
async function watched(t: Test, script: string, interval: string) {
  const box = sandbox(t);
  const bundle = box.bundle((spec) => {
    spec.process.args = ['sh', '-c', `read _ < /go; ${script}`];
    spec.linux.resources = { memory: { limit: 16_777_216, swap: 16_777_216 } };
  });
  await mkfifo(t, `${bundle.rootfs}/go`);
  const id = await box.createAndStart(bundle);
  const events = box.startRuntime(['events', '--interval', interval, id]);
  await waitFor('the first statistics', () => (events.output.stdout.includes('\n') ? true : undefined));
  const { writeFile } = await import('node:fs/promises');
  await writeFile(`${bundle.rootfs}/go`, 'go\n');
  return { box, id, events };
}

t.test('an out-of-memory kill is an event', { skip: needs({ controllers: ['memory'] }) }, async (t) => {
  const { box, id, events } = await watched(t, 'dd if=/dev/zero of=/dev/null bs=64M count=1; sleep 1000', '1s');
  await waitFor('the event', () => (events.output.stdout.includes('"oom"') ? true : undefined));
  await box.runtimeOk(['kill', id, 'KILL']);
  const { stdout } = await events.done;
  const lines = stdout.split('\n').filter((line) => line.includes('"type":"oom"'));
  const ooms = lines.map((line) => JSON.parse(line));
  if (isExempt(t, 'one event for one kill', { runc: 'may tell of it twice' })) ooms.splice(1);
  t.strictSame(ooms, [{ type: 'oom', id }]);
});

const firstAfter = { runc: 'prints its first statistics after the interval' };

t.test(
  'an out-of-memory kill that ends the container is an event',
  { skip: needs({ controllers: ['memory'] }, firstAfter) },
  async (t) => {
    const { events } = await watched(t, 'exec tail /dev/zero', '1h');
    const { stdout } = await events.done;
    const types = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).type);
    t.strictSame(types, ['stats', 'oom']);
  },
);

async function mkfifo(t: Test, path: string): Promise<void> {
  const { run } = await import('../../harness/index.ts');
  t.equal((await run('mkfifo', [path])).code, 0);
}

t.test('stats shows running containers', { skip: needs({ runtime: 'tsrun' }) }, async (t) => {
  const box = sandbox(t);
  const first = await running(box, ['sleep', '1000']);
  const second = await running(box, ['sleep', '1000']);
  const ended = await running(box, ['true']);
  await box.waitForState(ended, 'stopped');
  const table = (await box.runtimeOk(['stats', '--no-stream'])).stdout;
  t.match(table, /^ID +CPU +MEMORY +CHANGE/);
  t.match(table, new RegExp(`\\n${first} +\\d+\\.\\d%`));
  t.match(table, new RegExp(`\\n${second} `));
  t.notMatch(table, ended);
  const lines = (await box.runtimeOk(['stats', '--no-stream', '--format', 'json', second])).stdout.trim().split('\n');
  t.strictSame(
    lines.map((line) => JSON.parse(line).id),
    [second],
  );
});

t.test('a container that does not run has no statistics', { skip: needs() }, async (t) => {
  const box = sandbox(t);
  const id = await running(box, ['true']);
  await box.waitForState(id, 'stopped');
  const commands = [
    ['events', '--stats', id],
    ['events', id],
  ];
  if (runtimeName === 'tsrun') commands.push(['stats', '--no-stream', id]);
  for (const args of commands) {
    const { code, stderr } = await box.runtime(args);
    t.equal(code, 1);
    says(t, stderr, /container not running/);
  }
  t.match((await box.runtime(['events', 'nobody'])).stderr, /container does not exist/);
});
