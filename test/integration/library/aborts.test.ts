/** An AbortSignal at each call that can wait. Those of create, start and run are in life.test.ts and spawn.test.ts. */
import { spawn as spawnProgram } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { requires, sandbox, waitFor } from '../../harness/index.ts';
import { library, placeOf, zombies } from '../../harness/library.ts';

const needs = { root: true, cgroup2: true, runtime: 'tsrun', files: ['/bin/busybox'] };
const skip = requires(needs);
const { check, create, features, list, open, plan, run, spawn, spec } = library;

async function running(t: Test, poststop = '') {
  const box = sandbox(t);
  const bundle = box.bundle((spec) => {
    spec.process.args = ['sleep', '1000'];
    if (poststop !== '') spec.hooks = { poststop: [{ path: '/bin/sh', args: ['sh', '-c', poststop] }] };
  });
  const container = await create({ root: box.root, bundle: bundle.directory, id: box.newId(), stdio: 'ignore' });
  t.teardown(() => container.delete({ force: true }));
  await container.start();
  return { box, bundle, container };
}

t.test('each call, when it is aborted before it can begin, or at once', { skip }, async (t) => {
  const { box, bundle, container } = await running(t);
  const subject = { bundle: bundle.directory };
  const place = placeOf(box);
  const calls: Record<string, (signal: AbortSignal) => Promise<unknown>> = {
    create: (signal) => create({ ...subject, root: box.root, signal }),
    open: (signal) => open(container.id, { root: box.root, signal }),
    list: (signal) => list({ root: box.root, signal }),
    plan: (signal) => plan({ ...subject, signal }),
    check: (signal) => check({ ...subject, signal }),
    spec: (signal) => spec([], { signal }),
    features: (signal) => features({ signal }),
    run: (signal) => run('true', [], { ...place, signal }),
    spawn: (signal) => spawn('true', [], { ...place, signal }).wait(),
    state: (signal) => container.state({ signal }),
    stats: (signal) => container.stats({ signal }),
    ps: (signal) => container.ps({ signal }),
    exec: (signal) => container.exec(['true'], { signal }).wait(),
    events: (signal) => container.events({ signal }).next(),
    wait: (signal) => container.wait({ signal }),
  };
  // These do at once what they are for: an abort that comes later has no effect.
  const effects: typeof calls = {
    start: (signal) => container.start({ signal }),
    kill: (signal) => container.kill('KILL', { signal }),
    pause: (signal) => container.pause({ signal }),
    resume: (signal) => container.resume({ signal }),
    update: (signal) => container.update({}, { signal }),
    delete: (signal) => container.delete({ force: true, signal }),
  };
  const reason = new Error('the reason');
  for (const [name, call] of Object.entries({ ...calls, ...effects }))
    await t.rejects(call(AbortSignal.abort(reason)), { code: 'ABORT_ERR', name: 'AbortError', cause: reason }, name);
  for (const [name, call] of Object.entries(calls)) {
    const abort = new AbortController();
    const called = call(abort.signal);
    abort.abort();
    await t.rejects(called, { code: 'ABORT_ERR' }, `${name}, at once`);
  }
  t.match(await container.state(), { status: 'running' });
  t.equal((await list({ root: box.root })).length, 1);
  t.same(zombies(), []);
});

t.test('a wait, for a container of another process’s, too', { skip }, async (t) => {
  const { box, container } = await running(t);
  for (const each of [container, await open(container.id, { root: box.root })]) {
    const abort = new AbortController();
    const waited = each.wait({ signal: abort.signal });
    setTimeout(() => abort.abort(), 50);
    await t.rejects(waited, { code: 'ABORT_ERR' });
  }
  t.match(await container.state(), { status: 'running' });
});

t.test(
  'a delete that waits for another command changes nothing',
  {
    skip: requires({ ...needs, commands: ['flock'] }),
  },
  async (t) => {
    const { box, container } = await running(t);
    const holder = spawnProgram('flock', [
      '--no-fork',
      join(box.root, container.id),
      'sh',
      '-c',
      'echo held; exec sleep 1000',
    ]);
    t.teardown(() => holder.kill('SIGKILL'));
    await once(holder.stdout, 'data');
    const abort = new AbortController();
    const deleted = container.delete({ force: true, signal: abort.signal });
    setTimeout(() => abort.abort(), 50);
    await t.rejects(deleted, { code: 'ABORT_ERR' });
    t.match(await container.state(), { status: 'running' });
    holder.kill('SIGKILL');
    await once(holder, 'close');
  },
);

t.test('a delete whose hook does not end', { skip }, async (t) => {
  const box = sandbox(t);
  const marker = join(box.directory, 'marker');
  const { container, box: own } = await running(t, `: >${marker}; exec sleep 1000`);
  const abort = new AbortController();
  const deleted = container.delete({ force: true, signal: abort.signal });
  const failure = t.rejects(deleted, { code: 'ABORT_ERR' });
  await waitFor('the hook to run', () => existsSync(marker) || undefined);
  abort.abort();
  await failure;
  t.strictSame(await list({ root: own.root }), [], 'the container was gone before');
});
