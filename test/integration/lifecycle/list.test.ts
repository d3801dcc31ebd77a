/** `list` and `state`: what they print, and in which order. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { requires, run, runtimePath, type Spec, sandbox } from '../../harness/index.ts';

const skip = requires({ root: true, runtime: ['tsrun', 'runc'] });
const ours = requires({ root: true, runtime: 'tsrun', commands: ['strace'] });

t.test('state and list --format json have the owner, the root filesystem and the time', { skip }, async (t) => {
  const box = sandbox(t);
  const before = Date.now();
  const bundle = box.bundle();
  const id = await box.create(bundle);
  const state = JSON.parse((await box.runtimeOk(['state', id])).stdout);
  t.match(state, { id, status: 'created', bundle: bundle.directory, rootfs: bundle.rootfs });
  t.equal(state.owner || userInfo().username, userInfo().username);
  t.match(state.created, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z$/);
  const created = Date.parse(state.created);
  t.ok(created >= before && created <= Date.now(), state.created);
  const [listed, ...more] = JSON.parse((await box.runtimeOk(['list', '--format', 'json'])).stdout);
  t.same(more, []);
  t.match(listed, {
    id,
    pid: state.pid,
    status: 'created',
    rootfs: state.rootfs,
    created: state.created,
    owner: 'root',
  });
});

t.test('list is sorted by id, as a table and as ids', { skip }, async (t) => {
  const box = sandbox(t);
  for (const id of ['b', 'a-2', 'a-10', 'B']) {
    const { directory } = box.bundle();
    await box.runtimeOk(['create', '--bundle', directory, id], { outputFiles: `${box.directory}/${id}`, input: '' });
  }
  const sorted = ['B', 'a-10', 'a-2', 'b'];
  t.same((await box.runtimeOk(['list', '-q'])).stdout.split('\n').slice(0, -1), sorted);
  const [header = '', ...lines] = (await box.runtimeOk(['list'])).stdout.trimEnd().split('\n');
  t.same(header.split(/\s+/), ['ID', 'PID', 'STATUS', 'BUNDLE', 'CREATED', 'OWNER']);
  t.same(
    lines.map((line) => line.split(/\s+/)[0]),
    sorted,
  );
});

t.test('list -q reads no state, and does not list leftovers of a killed create', { skip: ours }, async (t) => {
  const box = sandbox(t);
  const id = await box.create(box.bundle());
  mkdirSync(join(box.root, 'left-over'), { mode: 0o700 });
  const log = join(box.directory, 'calls');
  const strace = ['-f', '-e', 'trace=open,openat,read', '-o', log, runtimePath, '--root', box.root];
  t.match(await run('strace', [...strace, 'list', '-q']), { code: 0, stdout: `${id}\n` });
  t.notMatch(readFileSync(log, 'utf8'), id);
});

t.test('list and state agree about each container', { skip: requires({ root: true, runtime: 'tsrun' }) }, async (t) => {
  const box = sandbox(t);
  const started = async (edit: (spec: Spec) => void = () => {}) => {
    const id = await box.create(box.bundle(edit));
    await box.runtimeOk(['start', id]);
    return id;
  };
  const sleeps = (spec: Spec) => {
    spec.process.args = ['/bin/sleep', '1000'];
  };
  const ids = [await box.create(box.bundle())];
  // A record does not have all of these as plain text.
  for (const value of ['plain', 'a "quote" and a \\', 'ü and €', '\u0085']) {
    ids.push(
      await started((spec) => {
        sleeps(spec);
        spec.annotations = { 'org.example.value': value, [value]: 'name' };
      }),
    );
  }
  const paused = await started(sleeps);
  await box.runtimeOk(['pause', paused]);
  const stopped = await started(sleeps);
  await box.runtimeOk(['kill', stopped, 'KILL']);
  const stateOf = async (id: string) => JSON.parse((await box.runtimeOk(['state', id])).stdout);
  await box.waitForState(stopped, 'stopped');
  ids.push(paused, stopped);
  const listed: { id: string; status: string }[] = JSON.parse((await box.runtimeOk(['list', '-f', 'json'])).stdout);
  t.equal(listed.length, ids.length);
  for (const each of listed) t.strictSame(each, await stateOf(each.id));
  t.same(
    ids.map((id) => listed.find((each) => each.id === id)?.status),
    ['created', 'running', 'running', 'running', 'running', 'paused', 'stopped'],
  );
  await box.runtimeOk(['resume', paused]);
});

t.test(
  'list leaves out what it cannot read, and says so',
  { skip: requires({ root: true, runtime: 'tsrun' }) },
  async (t) => {
    const box = sandbox(t);
    const id = await box.create(box.bundle());
    const file = join(box.root, id, 'state.json');
    const text = readFileSync(file, 'utf8');
    const record = JSON.parse(text);
    const bad = [
      text.slice(0, -1),
      `${text}}`,
      text.replace('"hooks":', '"hooks"'),
      text.replace(/(?<="ownPids":)\w+/, 'yes'),
    ];
    for (const contents of [
      ...bad,
      JSON.stringify({ ...record, id: 'other' }),
      JSON.stringify({ ...record, version: 2 }),
    ]) {
      writeFileSync(file, contents);
      t.match(
        await box.runtime(['list']),
        { code: 1, stderr: `the state of container ${id} cannot be read` },
        contents,
      );
    }
    writeFileSync(file, JSON.stringify(record, null, 2));
    t.match(await box.runtimeOk(['list']), { stdout: new RegExp(`^${id} +${record.init.pid} +created`, 'm') });
  },
);
