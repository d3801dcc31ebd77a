/** The library's create, start, wait and delete; the command knows its containers, too. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { repoRoot, requires, sandbox, waitFor } from '../../harness/index.ts';
import { library, zombies } from '../../harness/library.ts';

const skip = requires({ root: true, cgroup2: true, runtime: 'tsrun', files: ['/bin/busybox'] });
const { create, list, onLog, open, TsrunError } = library;

/** The whole text of a stream. */
async function textOf(stream: NodeJS.ReadableStream | null): Promise<string> {
  let text = '';
  for await (const part of stream ?? []) text += part;
  return text;
}

t.test('a life', { skip }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle((spec) => {
    spec.process.args = ['sh', '-c', 'read word; echo "$word from $(hostname)"; echo bad >&2; exit 7'];
    spec.hostname = 'inside';
  });
  const id = box.newId();
  const container = await create({ root: box.root, bundle: bundle.directory, id, stdio: 'pipe' });
  t.match(await box.state(id), { status: 'created', pid: container.pid, bundle: bundle.directory });
  t.match(await container.state(), { status: 'created', id });
  const waited = container.wait();
  await container.start();
  t.match(await box.state(id), { status: 'running' });
  container.stdin?.end('hello\n');
  t.equal(await textOf(container.stdout), 'hello from inside\n');
  t.equal(await textOf(container.stderr), 'bad\n');
  t.match(await waited, { code: 7, signal: null });
  t.match(await container.wait(), { code: 7, signal: null }, 'once more');
  t.same(zombies(), []);
  t.match((await box.runtime(['wait', id])).stdout, /7/, 'the command knows how it ended');
  await container.delete();
  await t.rejects(container.state(), { code: 'ENOTFOUND', name: 'TsrunError' });
});

t.test('a config that comes with the call, and no bundle', { skip }, async (t) => {
  const box = sandbox(t);
  const { spec, rootfs } = box.bundle((spec) => {
    spec.process.args = ['sh', '-c', 'kill -9 $$; :'];
  });
  const container = await create({ root: box.root, id: box.newId(), spec, rootfs, stdio: 'ignore' });
  t.teardown(() => container.delete({ force: true }));
  t.equal((await container.state()).bundle, join(box.root, container.id));
  await container.start();
  t.match(await container.wait(), { code: 0, signal: null }, 'a process 1 gets no signal of its own');
});

t.test('what the library makes the command sees, and the other way round', { skip }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle((spec) => {
    spec.process.args = ['sleep', '1000'];
  });
  const theirs = await box.createAndStart(bundle);
  const other = box.bundle((spec) => {
    spec.process.args = ['sleep', '1000'];
  });
  const container = await create({ root: box.root, bundle: other.directory, id: box.newId(), stdio: 'ignore' });
  const { stdout } = await box.runtimeOk(['list', '--format', 'json']);
  t.strictSame(JSON.parse(stdout), await list({ root: box.root }));
  t.match(await list({ root: box.root }), [{ status: 'running' }, { status: 'created' }]);
  await box.runtimeOk(['start', container.id]);
  t.match(await container.state(), { status: 'running' });

  const opened = await open(theirs, { root: box.root });
  const ended = opened.wait();
  t.strictSame(await opened.ps(), [(await box.state(theirs)).pid]);
  await opened.kill('TERM', { all: true });
  await opened.kill('KILL');
  t.match(await ended, { code: null, signal: 'SIGKILL' });
  await opened.delete();

  await box.runtimeOk(['delete', '--force', container.id]);
  t.match(await container.wait(), { signal: 'SIGKILL' });
  await waitFor('it to be reaped', () => (zombies().length === 0 ? true : undefined));
  await t.rejects(open(theirs, { root: box.root }), { code: 'ENOTFOUND' });
});

t.test('every failure is a TsrunError that programs can read', { skip }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle((spec) => {
    spec.process.cwd = 'here';
    spec.hooks = { poststart: [{ path: 'there' }] };
  });
  const place = { root: box.root, bundle: bundle.directory, id: 'x' };
  const error = await create(place).catch((each) => each);
  t.ok(error instanceof TsrunError);
  t.match(error, { code: 'EINVALIDSPEC', path: bundle.configPath, pointer: '/process/cwd' });
  t.equal(error.findings.length, 2);
  const line = readFileSync(bundle.configPath, 'utf8').split('\n')[error.line - 1];
  t.equal(line?.slice(error.column - 1), '"here",');

  bundle.edit((spec) => {
    spec.process.cwd = '/';
    delete spec.hooks;
    spec.process.args = ['not-there'];
  });
  const missing = {
    code: 'EPROGRAM',
    op: 'find-program',
    errno: 2,
    pointer: '/process/args/0',
    path: bundle.configPath,
  };
  await t.rejects(create(place), missing);
  bundle.edit((spec) => {
    spec.process.args = ['true'];
  });
  const container = await create(place);
  t.teardown(() => container.delete({ force: true }));
  await t.rejects(create(place), { code: 'EEXIST' });
  await t.rejects(create({ ...place, id: '../x' }), { code: 'EINVALIDARG' });
  await container.start();
  await container.wait();
  await t.rejects(container.start(), { code: 'EWRONGSTATE' });
  await t.rejects(container.resume(), { code: 'EWRONGSTATE' });
  await t.rejects(container.kill('NOSUCH'), { code: 'EINVALIDARG', hint: /TERM/ });
});

t.test('pause, resume and dispose', { skip }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle((spec) => {
    spec.process.args = ['sleep', '1000'];
  });
  const container = await create({ root: box.root, bundle: bundle.directory, id: box.newId(), stdio: 'ignore' });
  await container.start();
  await container.pause();
  t.match(await container.state(), { status: 'paused' });
  await container.resume();
  t.match(await container.state(), { status: 'running' });
  t.match(await container.stats(), { network_interfaces: Array });
  await t.rejects(container.delete(), { code: 'EWRONGSTATE' });
  await container[Symbol.asyncDispose]();
  t.strictSame(await list({ root: box.root }), []);
});

t.test('a container outlives the process that has made it', { skip }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle((spec) => {
    spec.process.args = ['sleep', '1000'];
  });
  const id = box.newId();
  const options = JSON.stringify({ root: box.root, bundle: bundle.directory, id, stdio: 'ignore' });
  const program = `import { create } from ${JSON.stringify(join(repoRoot, 'build/library.mjs'))};
    await (await create(${options})).start();`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], { stdio: 'inherit' });
  const [code] = await once(child, 'exit');
  t.equal(code, 0, 'nothing keeps it alive');
  t.match(await box.state(id), { status: 'running' });
  await box.runtimeOk(['delete', '--force', id]);
});

t.test('an aborted create leaves nothing, at each of its waits', { skip }, async (t) => {
  for (const kind of ['prestart', 'createRuntime', 'createContainer', 'poststart', 'startContainer'] as const) {
    const box = sandbox(t);
    const marker = join(box.directory, 'marker');
    const inside = kind === 'createContainer' || kind === 'startContainer';
    const bundle = box.bundle((spec) => {
      spec.process.args = ['sleep', '1000'];
      const script = `${inside ? 'echo > /marker' : `echo > ${marker}`}; exec sleep 1000`;
      const path = kind === 'startContainer' ? '/bin/sh' : '/bin/busybox';
      spec.hooks = { [kind]: [{ path, args: ['sh', '-c', script] }] };
    });
    const place = { root: box.root, bundle: bundle.directory, id: box.newId(), stdio: 'ignore' } as const;
    const abort = new AbortController();
    const begun = create({ ...place, signal: abort.signal }).then((each) => each.start({ signal: abort.signal }));
    const failure = begun.catch((error) => error);
    const seen = kind === 'startContainer' ? join(bundle.rootfs, 'marker') : marker;
    // A createContainer hook has the host's paths, so its file is below the root of the runtime's working directory.
    if (kind !== 'createContainer') await waitFor(`the ${kind} hook to run`, () => existsSync(seen) || undefined);
    else await waitFor('it to be there', async () => (await list({ root: box.root })).length > 0 || undefined);
    abort.abort();
    t.match(await failure, { code: 'ABORT_ERR', name: 'AbortError' }, kind);
    t.strictSame(await list({ root: box.root }), [], `${kind}: no state`);
    t.same(zombies(), [], `${kind}: no zombie`);
  }
});

t.test('waits that are given up keep no worker', { skip }, async (t) => {
  const box = sandbox(t);
  const id = await box.create(box.bundle());
  const other = await open(id, { root: box.root });
  // More than the number of workers.
  const waits = Array.from({ length: 40 }, () => other.wait({ signal: AbortSignal.timeout(50) }));
  for (const wait of waits) await t.rejects(wait, { code: 'ABORT_ERR' });
  t.match(await list({ root: box.root }), [{ id }]);
});

t.test('a container whose state cannot be read is left out of the list, and told', { skip }, async (t) => {
  const box = sandbox(t);
  const id = await box.create(box.bundle());
  const told: string[] = [];
  onLog((_level, message) => told.push(message));
  t.teardown(() => onLog(undefined));
  const file = join(box.root, id, 'state.json');
  const text = readFileSync(file);
  writeFileSync(file, '{');
  const states = await list({ root: box.root });
  writeFileSync(file, text);
  t.strictSame(states, []);
  t.match(told.join('\n'), id);
});

t.test('what is aborted before it begins never begins', { skip }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle();
  const signal = AbortSignal.abort();
  const place = { root: box.root, bundle: bundle.directory, id: 'x' };
  await t.rejects(create({ ...place, signal }), { code: 'ABORT_ERR' });
  const container = await create(place);
  await t.rejects(container.delete({ signal }), { code: 'ABORT_ERR' });
  await t.rejects(container.wait({ signal: AbortSignal.timeout(10) }), { code: 'ABORT_ERR' });
  await container.delete();
});

t.test('a hook that takes its time does not stop the event loop', { skip }, async (t) => {
  const box = sandbox(t);
  const gate = join(box.directory, 'gate');
  const bundle = box.bundle((spec) => {
    const script = `while [ ! -e ${gate} ]; do sleep 0.01; done`;
    spec.hooks = { createRuntime: [{ path: '/bin/busybox', args: ['sh', '-c', script] }] };
  });
  const creating = create({ root: box.root, bundle: bundle.directory, id: box.newId(), stdio: 'ignore' });
  // Only this thread can make the file.
  setTimeout(() => spawn('touch', [gate]), 50);
  const container = await creating;
  await container.delete();
});

t.test('a warning has no place in the config of another container', { skip }, async (t) => {
  const told: string[] = [];
  onLog((_level, message) => told.push(message));
  t.teardown(() => onLog(undefined));
  const box = sandbox(t);
  const bundle = box.bundle((spec) => {
    spec.hooks = { poststop: [{ path: '/bin/false' }] };
  });
  const container = await create({ root: box.root, id: box.newId(), bundle: bundle.directory, stdio: 'ignore' });
  // What was read for the container is no longer there.
  bundle.edit((spec) => {
    spec.annotations = { 'org.example.changed': 'yes' };
  });
  const other = box.bundle((spec) => {
    spec.hooks = { poststop: [{ path: '/bin/true' }] };
  });
  const second = await create({ root: box.root, id: box.newId(), bundle: other.directory, stdio: 'ignore' });
  await container.delete({ force: true });
  await second.delete({ force: true });
  t.match(told.join('\n'), 'error running poststop hook #0: /bin/false: exited with status 1');
  t.notMatch(told.join('\n'), other.directory);
});
