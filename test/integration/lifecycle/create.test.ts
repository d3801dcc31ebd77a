/** `create`: one of several wins, one that fails or is killed leaves nothing behind, and foreign state stays. */
import { chownSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { requires, type Sandbox, sandbox } from '../../harness/index.ts';

const skip = requires({ root: true });
const tsrunOnly = requires({ root: true, runtime: 'tsrun' });

const endless = ['/bin/sleep', '1000'];

function sleeper(box: Sandbox) {
  return box.bundle((spec) => {
    spec.process.args = endless;
  });
}

t.test('of simultaneous creates with one id exactly one succeeds', { skip }, async (t) => {
  const box = sandbox(t);
  const id = box.newId();
  const bundles = [1, 2, 3, 4].map(() => sleeper(box));
  const results = await Promise.all(
    bundles.map(({ directory }, i) =>
      box.runtime(['create', '--bundle', directory, id], { outputFiles: join(box.directory, `out-${i}`) }),
    ),
  );
  t.equal(results.filter(({ code }) => code === 0).length, 1);
  const winner = bundles[results.findIndex(({ code }) => code === 0)];
  t.match(await box.state(id), { status: 'created', bundle: winner?.directory });
  for (const { stderr } of results.filter(({ code }) => code !== 0)) t.match(stderr, 'exist');
  await box.runtimeOk(['start', id]);
  t.equal((await box.state(id)).status, 'running');
});

t.test('sixteen simultaneous runs', { skip }, async (t) => {
  const box = sandbox(t);
  const results = await Promise.all(Array.from({ length: 16 }, (_, i) => box.runContainer(['/bin/echo', String(i)])));
  results.forEach(({ code, stdout, stderr }, i) => {
    t.match({ code, stdout, stderr }, { code: 0, stdout: `${i}\n`, stderr: '' });
  });
});

t.test('delete removes everything that a killed create leaves', { skip: tsrunOnly }, async (t) => {
  for (const [index, force] of Array.from({ length: 24 }, (_, i) => [i, i % 2 === 0] as const)) {
    // At its end the sandbox looks for processes, mounts, cgroups and state.
    const box = sandbox(t);
    const bundle = sleeper(box).edit((spec) => {
      spec.hooks = { createRuntime: [{ path: '/bin/true' }] };
    });
    const id = box.newId();
    const running = box.startRuntime(['create', '--bundle', bundle.directory, id], {
      outputFiles: join(box.directory, 'out'),
    });
    setTimeout(() => running.child.kill('SIGKILL'), 30 + index * 5);
    await running.done;
    const { code, stdout } = await box.runtime(['state', id]);
    const status = code === 0 ? JSON.parse(stdout).status : 'absent';
    t.ok(['absent', 'creating', 'stopped', 'created'].includes(status), `${status} after ${30 + index * 5} ms`);
    const { code: deleted, stderr } = await box.runtime(['delete', ...(force ? ['--force'] : []), id]);
    if (deleted !== 0) t.match(stderr, 'container does not exist');
    t.notOk(existsSync(join(box.root, id)), 'no state directory');
  }
});

t.test('leftovers of a create that was killed at its start do not matter', { skip: tsrunOnly }, async (t) => {
  const box = sandbox(t);
  const leftOver = (id: string) => {
    mkdirSync(join(box.root, id), { mode: 0o700 });
    writeFileSync(join(box.root, id, 'config.json'), '{');
    return id;
  };
  const id = leftOver(box.newId());
  t.match(await box.runtime(['state', id]), { code: 1, stderr: /container does not exist/ });
  t.match(await box.runtime(['list', '--format', 'json']), { code: 0, stdout: '[]\n', stderr: '' });
  await box.runtimeOk(['delete', id]);
  t.notOk(existsSync(join(box.root, id)));
  await box.runtimeOk(['delete', '--force', leftOver(id)]);
  t.notOk(existsSync(join(box.root, id)));
  leftOver(id);
  await box.runtimeOk(['run', '--bundle', box.bundle().directory, id]);
  t.notOk(existsSync(join(box.root, id)));
});

t.test('delete removes nothing from a directory that is not a container’s', { skip: tsrunOnly }, async (t) => {
  const box = sandbox(t);
  const stranger = join(box.directory, 'other');
  mkdirSync(join(stranger, 'etc'), { recursive: true });
  writeFileSync(join(stranger, 'etc', 'passwd'), 'root');
  for (const flags of [[], ['--force']]) {
    const { code, stderr } = await box.runtime(['--root', stranger, 'delete', ...flags, 'etc']);
    t.equal(code, 1);
    t.match(stderr, /cannot remove .*\/other\/etc: ENOTEMPTY/);
    t.equal(readFileSync(join(stranger, 'etc', 'passwd'), 'utf8'), 'root');
  }
});

t.test(
  'an unreadable record is an error, and a directory about which nothing else is known stays',
  { skip: tsrunOnly },
  async (t) => {
    const box = sandbox(t);
    const record = (id: string) => join(box.root, id, 'state.json');
    for (const text of [
      '',
      '{"version":1,"id":"',
      'null',
      '[]',
      '{"version":2}',
      '{"version":1,"id":"another"}',
      '\0'.repeat(4096),
    ]) {
      const id = box.newId();
      mkdirSync(join(box.root, id), { mode: 0o700 });
      writeFileSync(record(id), text);
      for (const command of ['state', 'start', 'kill', 'delete']) {
        const { code, stderr, stdout } = await box.runtime([command, id]);
        t.match({ code, stdout }, { code: 1, stdout: '' }, command);
        t.match(
          stderr,
          /^[^\n]*the state of container .* cannot be read: [^\n]*hint: [^\n]*\n$/,
          `${command} ${JSON.stringify(text).slice(0, 30)}`,
        );
      }
      t.match(await box.runtime(['create', '--bundle', sleeper(box).directory, id]), {
        code: 1,
        stderr: /already exists/,
      });
      t.match(await box.runtime(['list', '--format', 'json']), { code: 1, stdout: '[]\n' });
      t.match(await box.runtime(['delete', '--force', id]), { code: 1, stderr: /nothing else records/ });
      t.ok(existsSync(record(id)));
      rmSync(join(box.root, id), { recursive: true });
    }
  },
);

t.test('a process that has the pid of a dead init is left alone', { skip: tsrunOnly }, async (t) => {
  const box = sandbox(t);
  const stranger = box.startRuntime(['run', '--bundle', sleeper(box).directory, box.newId()]);
  const id = await box.create(sleeper(box));
  const path = join(box.root, id, 'state.json');
  const record = JSON.parse(readFileSync(path, 'utf8'));
  const dead = record.init.pid;
  process.kill(dead, 'SIGKILL');
  await box.waitForState(id, 'stopped');
  // As if the kernel had given the pid to another process.
  record.init.pid = stranger.pid;
  writeFileSync(path, JSON.stringify(record));
  t.match(await box.state(id), { status: 'stopped', pid: 0 });
  t.match(await box.runtime(['kill', id, 'KILL']), { code: 1, stderr: /container not running/ });
  await box.runtimeOk(['delete', '--force', id]);
  t.equal(stranger.child.exitCode, null, 'still there');
  t.equal(stranger.child.signalCode, null, 'still there');
});

t.test('a state directory that is a link, a file or another user’s is refused', { skip: tsrunOnly }, async (t) => {
  const box = sandbox(t);
  const real = await box.create(sleeper(box));
  const make: Record<string, (path: string) => void> = {
    link: (path) => symlinkSync(real, path),
    dangling: (path) => symlinkSync('nowhere', path),
    file: (path) => writeFileSync(path, ''),
    theirs: (path) => {
      mkdirSync(path);
      chownSync(path, 1000, 1000);
    },
  };
  for (const [id, create] of Object.entries(make)) {
    const path = join(box.root, id);
    create(path);
    const commands = [
      ['state', id],
      ['start', id],
      ['kill', id],
      ['delete', id],
      ['delete', '--force', id],
      ['create', '--bundle', sleeper(box).directory, id],
    ];
    for (const command of commands) {
      const { code, stderr } = await box.runtime(command);
      t.equal(code, 1, `${command[0]} ${id}`);
      t.match(stderr, /cannot be read: it(s directory belongs to user 1000| is not a directory)/);
    }
    rmSync(path, { recursive: true });
  }
  t.equal((await box.state(real)).status, 'created');
});
