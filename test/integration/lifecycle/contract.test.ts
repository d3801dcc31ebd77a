/**
 * What engines depend on: the words of errors, on stderr and in --log, exit codes, and silence on success. The table is
 * FIELD's B4: containerd's shim looks for "container not running" and "does not exist", CRI-O for the same in the same
 * case, podman and moby take "no such file or directory" and "executable file not found" for a missing program.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { requires, type Sandbox, sandbox, waitFor } from '../../harness/index.ts';

const skip = requires({ root: true, runtime: ['tsrun', 'runc'] });
const tsrunOnly = requires({ root: true, runtime: 'tsrun' });

async function created(box: Sandbox): Promise<string> {
  return box.create(
    box.bundle((spec) => {
      spec.process.args = ['/bin/sleep', '1000'];
    }),
  );
}

async function running(box: Sandbox): Promise<string> {
  const id = await created(box);
  await box.runtimeOk(['start', id]);
  return id;
}

async function stopped(box: Sandbox): Promise<string> {
  const id = await running(box);
  await box.runtimeOk(['kill', id, '9']);
  await box.waitForState(id, 'stopped');
  return id;
}

const absent = async () => 'no-such-container';

const refusals: readonly [string, (box: Sandbox) => Promise<string>, (id: string) => string[], string][] = [
  ['state of an unknown id', absent, (id) => ['state', id], 'container does not exist'],
  ['start of an unknown id', absent, (id) => ['start', id], 'container does not exist'],
  ['kill of an unknown id', absent, (id) => ['kill', id], 'container does not exist'],
  ['delete of an unknown id', absent, (id) => ['delete', id], 'container does not exist'],
  ['kill of a stopped container', stopped, (id) => ['kill', id, '9'], 'container not running'],
  ['start of a running container', running, (id) => ['start', id], 'cannot start an already running container'],
  ['start of a stopped container', stopped, (id) => ['start', id], 'cannot start a container that has stopped'],
  ['delete of a running container', running, (id) => ['delete', id], 'that is not stopped: running'],
  ['exec in a stopped container', stopped, (id) => ['exec', id, 'true'], 'cannot exec in a stopped container'],
  ['an empty id', absent, () => ['state', ''], 'container id cannot be empty'],
  ['a bad id', absent, () => ['create', '..'], 'invalid container ID format'],
];

for (const [what, make, command, words] of refusals) {
  t.test(`${what}: ${words}`, { skip }, async (t) => {
    const box = sandbox(t);
    const id = await make(box);
    const log = join(box.directory, 'log.json');
    const bundle = box.bundle();
    const { code, stdout, stderr } = await box.runtime(['--log', log, '--log-format', 'json', ...command(id)], {
      cwd: bundle.directory,
    });
    t.equal(code, command(id)[0] === 'exec' ? 255 : 1);
    t.equal(stdout, '');
    t.match(stderr, words);
    const lines = readFileSync(log, 'utf8').trimEnd().split('\n');
    const last = JSON.parse(lines.at(-1) ?? '');
    t.match(last, { level: 'error', msg: words, time: /^\d{4}-\d\d-\d\dT/ }, '--log has the same');
  });
}

t.test('create with an id that is taken', { skip }, async (t) => {
  const box = sandbox(t);
  const id = await created(box);
  const { code, stderr } = await box.runtime(['create', '--bundle', box.bundle().directory, id]);
  t.equal(code, 1);
  t.match(stderr, 'container with given ID already exists');
  t.equal((await box.state(id)).status, 'created');
});

t.test('a missing program is an error of create', { skip }, async (t) => {
  const box = sandbox(t);
  const cases = [
    ['nowhere', /exec: \\?"nowhere\\?": executable file not found in \$PATH/],
    ['/no/where', /exec: \\?"\/no\/where\\?": .*no such file or directory/],
  ] as const;
  for (const [name, words] of cases) {
    const bundle = box.bundle((spec) => {
      spec.process.args = [name];
    });
    const { code, stderr } = await box.runtime(['create', '--bundle', bundle.directory, box.newId()]);
    t.equal(code, 1);
    t.match(stderr, words);
  }
});

t.test('a bundle without config.json', { skip }, async (t) => {
  const box = sandbox(t);
  const { code, stderr } = await box.runtime(['create', '--bundle', box.directory, box.newId()]);
  t.equal(code, 1);
  t.match(stderr, 'JSON specification file config.json not found');
});

t.test('delete --force of an unknown id succeeds silently', { skip }, async (t) => {
  const box = sandbox(t);
  t.match(await box.runtime(['delete', '--force', 'no-such-container']), { code: 0, stdout: '', stderr: '' });
});

t.test('kill takes names, names with SIG and numbers', { skip }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle((spec) => {
    const traps = ['USR1', 'USR2', 'HUP', 'WINCH'].map((name) => `trap "echo ${name} >>/got" ${name}`);
    spec.process.args = ['/bin/sh', '-c', `${traps.join('; ')}; : >/ready; while :; do sleep 0.05; done`];
  });
  const id = await box.createAndStart(bundle);
  await waitFor('the traps', () => bundle.has('ready') || undefined);
  // The shell makes the file before it writes to it.
  const got = () => (bundle.has('got') ? (readFileSync(join(bundle.rootfs, 'got'), 'utf8').match(/.+/g) ?? []) : []);
  for (const [signal, name] of Object.entries({ USR1: 'USR1', SIGUSR2: 'USR2', '1': 'HUP', SIGWINCH: 'WINCH' })) {
    const before = got().length;
    t.match(await box.runtime(['kill', id, signal]), { code: 0, stdout: '', stderr: '' });
    await waitFor(`the trap of ${name}`, () => (got().length > before ? true : undefined));
    t.equal(got().at(-1), name);
  }
  for (const bad of ['NOSUCH', 'SIG', '-1', '9x']) t.equal((await box.runtime(['kill', id, bad])).code, 1, bad);
  t.equal((await box.state(id)).status, 'running');
});

t.test('commands that succeed print only what was asked for', { skip }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle((spec) => {
    spec.process.args = ['/bin/sleep', '1000'];
  });
  const id = box.newId();
  const log = join(box.directory, 'log.json');
  const silent = { code: 0, stdout: '', stderr: '' };
  const outputFiles = join(box.directory, 'out');
  const create = ['create', '--bundle', bundle.directory, '--pid-file', join(box.directory, 'pid'), id];
  t.match(await box.runtime(['--log', log, ...create], { outputFiles }), silent, 'create');
  const { pid } = await box.state(id);
  t.equal(readFileSync(join(box.directory, 'pid'), 'utf8'), String(pid), 'without a newline');
  t.match(await box.runtime(['state', id]), { stderr: '' }, 'state');
  t.match(await box.runtime(['start', id]), silent, 'start');
  t.match(await box.runtime(['list', '--format', 'json']), { stderr: '' }, 'list');
  t.match(await box.runtime(['kill', id, 'KILL']), silent, 'kill');
  await box.waitForState(id, 'stopped');
  t.match(await box.runtime(['delete', id]), silent, 'delete');
  t.equal(existsSync(log) ? readFileSync(log, 'utf8') : '', '', 'nor is anything logged');
});

t.test('an error is one line on stderr, and with --log one JSON object in the file', { skip: tsrunOnly }, async (t) => {
  const box = sandbox(t);
  const log = join(box.directory, 'log');
  t.match(
    (await box.runtime(['state', 'x'])).stderr,
    /^time="[^"]+" level=error msg="container does not exist[^"\n]*"\n$/,
  );
  const { stderr } = await box.runtime(['--log', log, '--log-format', 'json', 'state', 'x']);
  t.match(stderr, /^container does not exist[^\n]*\n$/);
  t.match(JSON.parse(readFileSync(log, 'utf8')), { level: 'error', msg: stderr.trimEnd() });
});

t.test('a --log that cannot be written is an error before anything is done', { skip: tsrunOnly }, async (t) => {
  const box = sandbox(t);
  const id = box.newId();
  for (const log of [join(box.directory, 'missing', 'log'), box.directory]) {
    const { code, stderr } = await box.runtime(['--log', log, 'run', '--bundle', box.bundle().directory, id]);
    t.equal(code, 1);
    t.match(stderr, /^[^\n]*--log [^\n]*: cannot be written: (ENOENT|EISDIR) [^\n]*hint[^\n]*\n$/);
  }
  t.equal((await box.runtime(['state', id])).code, 1);
});

t.test('list without containers', { skip: tsrunOnly }, async (t) => {
  // runc prints null, which is not a list.
  const box = sandbox(t);
  t.equal((await box.runtimeOk(['list', '--format', 'json'])).stdout, '[]\n');
  t.match((await box.runtimeOk(['list'])).stdout, /^ID +PID +STATUS +BUNDLE +CREATED +OWNER\n$/);
  t.equal((await box.runtimeOk(['list', '-q'])).stdout, '');
});
