/** `list` and `state`: what they say, and in which order. */
import { mkdirSync, readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { requires, run, runtimePath, sandbox } from '../../harness/index.ts';

const skip = requires({ root: true, runtime: ['tsrun', 'runc'] });
const ours = requires({ root: true, runtime: 'tsrun', commands: ['strace'] });

t.test('state and list --format json tell the owner, the root filesystem and the time', { skip }, async (t) => {
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

t.test('list -q reads no state, and lists no left-over of a killed create', { skip: ours }, async (t) => {
  const box = sandbox(t);
  const id = await box.create(box.bundle());
  mkdirSync(join(box.root, 'left-over'), { mode: 0o700 });
  const log = join(box.directory, 'calls');
  const strace = ['-f', '-e', 'trace=open,openat,read', '-o', log, runtimePath, '--root', box.root];
  t.match(await run('strace', [...strace, 'list', '-q']), { code: 0, stdout: `${id}\n` });
  t.notMatch(readFileSync(log, 'utf8'), id);
});
