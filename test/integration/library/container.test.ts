/** The library with a running container: exec, events, update; and questions that need no container. */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { requires, sandbox } from '../../harness/index.ts';
import { library, zombies } from '../../harness/library.ts';

const needs = { root: true, cgroup2: true, runtime: 'tsrun', files: ['/bin/busybox'] };
const skip = requires(needs);
const { check, create, features, plan, run, spec } = library;

async function running(t: Test) {
  const box = sandbox(t);
  const bundle = box.bundle((spec) => {
    spec.process.args = ['sleep', '1000'];
    spec.process.env = ['PATH=/bin', 'OWN=yes'];
  });
  const container = await create({ root: box.root, bundle: bundle.directory, id: box.newId(), stdio: 'ignore' });
  t.teardown(() => container.delete({ force: true }));
  await container.start();
  return { box, bundle, container };
}

t.test('exec', { skip }, async (t) => {
  const { container } = await running(t);
  const child = container.exec(['sh', '-c', 'read word; echo $word $OWN $MORE $(id -u) $(pwd); exit 5'], {
    env: { MORE: 'more' },
    user: 'user',
    cwd: '/tmp',
  });
  child.stdin?.end('word\n');
  let text = '';
  for await (const part of child.stdout ?? []) text += part;
  t.equal(text, 'word yes more 1000 /tmp\n');
  t.match(await child.wait(), { code: 5, signal: null });
  t.match(await container.exec({ args: ['sh', '-c', 'exit $N'], env: ['N=9', 'PATH=/bin'] }).wait(), { code: 9 });
  t.match(await container.exec(['sleep', '1000'], { timeout: 50 }).wait(), { signal: 'SIGKILL', timedOut: true });

  const missing = container.exec(['not-there']);
  t.match(await once(missing, 'error'), [{ code: 'EPROGRAM', errno: 2 }]);
  await t.rejects(container.exec({ cwd: 'here', args: ['true'] }).wait(), { code: 'EINVALIDSPEC' });
  await t.rejects(container.exec(['true'], { user: 'a:b:c' }).wait(), { name: 'TsrunError' });

  await container.pause();
  await t.rejects(container.exec(['true']).wait(), { code: 'EWRONGSTATE' });
  const waits = container.exec(['true'], { ignorePaused: true, signal: AbortSignal.timeout(200) });
  await t.rejects(waits.wait(), { code: 'ABORT_ERR' }, 'what waits for a paused container can be given up');
  await container.resume();
  t.same(zombies(), []);
});

t.test('events end with the container, and its statistics come at an interval', { skip }, async (t) => {
  const { container } = await running(t);
  const seen: string[] = [];
  for await (const { type, id } of container.events({ interval: 20 })) {
    t.equal(id, container.id);
    seen.push(type);
    if (seen.length === 3) await container.kill('KILL');
  }
  t.same(new Set(seen), new Set(['stats']));
  await t.rejects(container.events().next(), { code: 'EWRONGSTATE' });
});

t.test('an events that is given up, or left', { skip }, async (t) => {
  const { container } = await running(t);
  const giveUp = new AbortController();
  const events = container.events({ signal: giveUp.signal, interval: Number.POSITIVE_INFINITY });
  t.match(await events.next(), { value: { type: 'stats', data: { cpu: Object } } });
  setTimeout(() => giveUp.abort(), 50);
  await t.rejects(events.next(), { code: 'ABORT_ERR' });

  const whileBusy = new AbortController();
  const others = container.events({ signal: whileBusy.signal, interval: 3_600_000 });
  await others.next();
  whileBusy.abort();
  await t.rejects(others.next(), { code: 'ABORT_ERR' }, 'aborted while the caller had an event');
  for await (const _ of container.events()) break;
});

t.test('a limit that this host cannot have', { skip }, async (t) => {
  const facts = await check({ spec: await spec(['true']), rootfs: '/' });
  const box = sandbox(t);
  const { rootfs } = box.bundle();
  if (requires({ controllers: ['memory'] }) === false) return t.pass('it can');
  t.ok(facts);
  await t.rejects(run('true', [], { root: box.root, rootfs, memory: '64M' }), {
    code: 'ENOCONTROLLER',
    pointer: '/linux/resources/memory/limit',
  });
});

const filters = requires({ ...needs, deviceFilter: true });

t.test('each container has its own device filter, though one process makes them all', { skip: filters }, async (t) => {
  const box = sandbox(t);
  /** Whether this device can be opened for writing, if only the filter may prevent it. */
  const opens = async (minor: number | undefined) => {
    const { spec, rootfs } = box.bundle((spec) => {
      spec.process.args = ['sh', '-c', 'mknod /dev/k c 1 11 && : 2>/dev/null >/dev/k'];
      for (const set of ['bounding', 'effective', 'permitted'] as const)
        spec.process.capabilities = { ...spec.process.capabilities, [set]: ['CAP_MKNOD'] };
      const allowed = { allow: true, type: 'c' as const, major: 1, minor, access: 'w' };
      if (minor !== undefined) spec.linux.resources = { devices: [{ allow: false, access: 'rwm' }, allowed] };
    });
    const container = await create({ root: box.root, spec, rootfs, id: box.newId(), stdio: 'ignore' });
    await container.start();
    const { code } = await container.wait();
    await container.delete();
    return code === 0;
  };
  const found: boolean[] = [];
  // The first and third have the filter that is loaded only once.
  for (const minor of [undefined, 11, undefined, 12, 11]) found.push(await opens(minor));
  t.strictSame(found, [false, true, false, false, true]);
});

t.test('spec, plan, check and features', { skip }, async (t) => {
  const box = sandbox(t);
  const { directory, rootfs } = box.bundle();
  const own = await spec(['echo', 'hello'], { hostname: 'named', env: { A: 'b' } });
  t.match(own, { hostname: 'named', process: { args: ['echo', 'hello'], terminal: false } });
  const { ops } = await plan({ spec: own, rootfs, id: 'planned' });
  const { stdout } = await box.runtimeOk(['plan', '--format', 'json', '--bundle', directory, 'planned']);
  t.ok(ops.some(({ op }) => op === 'pivot-root'));
  const ofBundle = await plan({ bundle: directory, id: 'planned' });
  t.strictSame(
    ofBundle.ops.map(({ op }) => op),
    JSON.parse(stdout).ops.map(({ op }: { op: string }) => op),
  );
  t.match(await check({ bundle: directory }), { errors: [] });
  t.match(await check({ spec: { ...own, hostname: 'x'.repeat(65) }, rootfs }), {
    errors: [{ pointer: '/hostname', line: Number }],
  });
  writeFileSync(join(directory, 'config.json'), '{');
  await t.rejects(plan({ bundle: directory }), { name: 'TsrunError', line: 1, path: join(directory, 'config.json') });
  t.match(await features(), { ociVersionMax: String, linux: { cgroup: { v2: true } } });
});

const limited = requires({ ...needs, controllers: ['memory', 'pids', 'cpu'] });
/** Takes memory until there is none left. */
const hungry = 'x=a; while :; do x=$x$x; done';

t.test('limits', { skip: limited }, async (t) => {
  const { box, bundle, container } = await running(t);
  await container.update({ pids: { limit: 9 }, memory: { limit: 64 * 1024 * 1024 } });
  t.match(await container.stats(), { pids: { limit: 9 }, memory: { usage: { limit: 67108864n } } });
  const place = { root: box.root, rootfs: bundle.rootfs };
  const limits = { memory: '32M', cpus: 0.5, pids: 16 };
  const cgroup = (name: string) => `${box.cgroup}/${name}`;
  t.match(await run('sh', ['-c', hungry], { ...place, ...limits, cgroup: cgroup('hungry') }), { oomKilled: true });
  const counting = 'i=0; while [ $i -lt 20 ]; do sleep 100 & i=$((i+1)); done; echo all';
  const counted = await run('sh', ['-c', counting], { ...place, ...limits, cgroup: cgroup('counted') });
  t.match(counted, { stderr: /fork|Resource temporarily unavailable/, oomKilled: false });
  t.notMatch(counted.stdout, 'all');
  const bomb = ['-c', ':(){ :|:& };:'];
  const result = await run('sh', bomb, { ...place, ...limits, timeout: 2000, cgroup: cgroup('bomb') });
  t.ok(result.timedOut || result.code !== null);
});

t.test('the end of memory is an event, and the cause of an end', { skip: limited }, async (t) => {
  const box = sandbox(t);
  const { spec, rootfs } = box.bundle((spec) => {
    // The first process to be killed is not init.
    spec.process.args = ['sh', '-c', `read line; sh -c '${hungry}'; read line; ${hungry}`];
    spec.linux.resources = { memory: { limit: 32 * 1024 * 1024, swap: 32 * 1024 * 1024 } };
  });
  const container = await create({
    ...{ root: box.root, spec, rootfs, id: box.newId() },
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  t.teardown(() => container.delete({ force: true }));
  await container.start();
  const seen: string[] = [];
  for await (const { type } of container.events({ interval: 3_600_000 })) {
    seen.push(type);
    container.stdin?.write('go on\n');
  }
  t.strictSame(seen.slice(0, 2), ['stats', 'oom']);
  t.match(await container.wait(), { code: null, signal: 'SIGKILL', oomKilled: true });
});
