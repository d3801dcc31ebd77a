/** A failed lookup does not mean that nothing is there: it is reported, and nothing is removed because of it. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { runWithFault } from '../../harness/faults.ts';
import { isAlive, lookUps, requires, type Sandbox, sandbox } from '../../harness/index.ts';

const skip = requires({ root: true, runtime: 'tsrun', cgroup2: true, commands: ['strace'] });
const errors = ['ENOMEM', 'EIO', 'EACCES'];

async function running(box: Sandbox) {
  const { id, bundle } = await box.idle();
  const { pid } = await box.state(id);
  return { id, pid, bundle, cgroup: box.cgroupOf(bundle), directory: join(box.root, id) };
}

/** One clear line, and an exit code other than 0. */
function fails(t: Test, { code, stderr }: { code: number | null; stderr: string }, error: string, name: string): void {
  t.not(code, 0, name);
  t.match(stderr, /^time="[^"]+" level=error msg="[^\n]+\n$/, `${name}: one line`);
  t.match(stderr, error, `${name}: the error`);
  t.notMatch(stderr, /internal error|not exist|not running|has stopped|is stopped/, name);
}

t.test('a running container that cannot be looked at', { skip }, async (t) => {
  const box = sandbox(t);
  const { id, pid, cgroup, directory } = await running(box);
  const other = box.bundle().directory;
  const record = { call: 'openat', path: join(directory, 'state.json') };
  const place = { call: lookUps, path: directory };
  const lock = { call: 'openat', path: directory };
  const stat = { call: 'openat', path: `/proc/${pid}/stat` };
  const flags = { call: 'openat', path: join(cgroup, 'cgroup.events') };
  const socket = { call: lookUps, path: join(directory, 'exec.sock') };
  const create = ['create', '--bundle', other, id];
  const cases = [
    { args: create, faults: [{ call: lookUps, path: record.path }, place, lock] },
    { args: ['delete', '--force', id], faults: [place, lock, record, stat] },
    { args: ['delete', id], faults: [place, lock, record, stat, flags, socket] },
    { args: ['state', id], faults: [place, record, stat, flags, socket] },
    { args: ['kill', id, '0'], faults: [place, record, stat, flags, socket] },
    { args: ['exec', id, 'true'], faults: [place, record, stat, flags, socket] },
    { args: ['list'], faults: [place, record, stat, flags, socket] },
    { args: ['list', '-q'], faults: [place] },
    { args: ['update', '--pids-limit', '10', id], faults: [place, lock, record, stat, flags, socket] },
    { args: ['pause', id], faults: [place, record, stat, flags, socket] },
  ];
  for (const { args, faults } of cases) {
    for (const fault of faults) {
      // EACCES for a process's file means that it is hidden; then its pidfd gives the answer (rootless/hidepid).
      for (const error of fault === stat ? errors.filter((error) => error !== 'EACCES') : errors) {
        const name = `${error} of ${fault.call} of ${fault.path}: ${args[0]}`;
        fails(t, await runWithFault(box, { ...fault, error }, args), error, name);
      }
    }
    t.match(await box.state(id), { status: 'running', pid }, `${args[0]}: still there`);
  }
});

t.test('a directory of containers that cannot be read', { skip }, async (t) => {
  const box = sandbox(t);
  await running(box);
  for (const call of ['openat', 'getdents64']) {
    const result = await runWithFault(box, { call, path: box.root, error: 'EIO' }, ['list', '-q']);
    t.match(result, { code: 1, stdout: '' });
    fails(t, result, 'EIO', call);
  }
});

t.test('create records no container whose start time is unknown', { skip }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle();
  const id = box.newId();
  // The first such file is that of create, the next that of its init.
  for (const when of ['1', '2+']) {
    for (const error of errors.filter((error) => error !== 'EACCES')) {
      const fault = { call: 'openat', path: '/proc/*/stat', error, when };
      const result = await withStatFault(box, fault.error, when, ['create', '--bundle', bundle.directory, id]);
      fails(t, result, error, `${error}, ${when}`);
      t.notOk(existsSync(join(box.root, id)), 'nothing is left');
    }
  }
});

/**
 * strace(1) has no patterns for paths, and the pid is not known before; so the fault is made for the file that is
 * opened.
 */
async function withStatFault(box: Sandbox, error: string, when: string, args: string[]) {
  const log = join(box.directory, 'calls');
  const found = await runWithFault(box, { call: 'openat', error: 'retval=-1', when: '65535' }, args, {
    outputFiles: log,
  });
  if (found.code !== 0) throw new Error(found.stderr);
  await box.runtimeOk(['delete', args.at(-1) ?? '']);
  const calls = readFileSync(join(box.directory, `strace-${args[0]}`), 'utf8').split('\n');
  const indices = calls.flatMap((call, index) => (/"\/proc\/\d+\/stat"/.test(call) ? [index + 1] : []));
  const index = when === '1' ? indices[0] : indices[1];
  return runWithFault(box, { call: 'openat', error, when: String(index) }, args, { outputFiles: log });
}

t.test('a lost record: delete --force still ends and removes the container', { skip }, async (t) => {
  const box = sandbox(t);
  const damages: [string, (path: string, text: string) => void][] = [
    ['empty', (path) => writeFileSync(path, '')],
    ['torn', (path, text) => writeFileSync(path, text.slice(0, text.length / 2))],
    ['gone', (path) => rmSync(path)],
    ['later', (path, text) => writeFileSync(path, JSON.stringify({ ...JSON.parse(text), version: 2, init: null }))],
  ];
  for (const [damage, apply] of damages) {
    const { id, pid, cgroup, directory } = await running(box);
    const record = join(directory, 'state.json');
    apply(record, readFileSync(record, 'utf8'));
    for (const command of ['state', 'kill', 'delete', 'start', 'pause']) {
      const { code, stderr } = await box.runtime([command, id]);
      t.equal(code, 1, `${damage}: ${command}`);
      t.match(stderr, /the state of container .* cannot be read: .*hint: .*delete --force/, `${damage}: ${command}`);
    }
    t.match(await box.runtime(['list']), { code: 1, stderr: /not all containers are listed/ });
    t.match(await box.runtime(['list', '-q']), { code: 0, stdout: `${id}\n` }, 'its id can be told');
    t.match(await box.runtime(['create', '--bundle', box.bundle().directory, id]), { stderr: /already exists/ });
    t.ok(isAlive(pid), `${damage}: still there`);
    t.match(
      await box.runtime(['delete', '--force', id]),
      { code: 0, stderr: /level=warning msg="the state of / },
      damage,
    );
    t.notOk(isAlive(pid), `${damage}: its process`);
    t.notOk(existsSync(cgroup), `${damage}: its cgroup`);
    t.notOk(existsSync(directory), `${damage}: its directory`);
  }
});

t.test('a lost record: the poststop hooks run', { skip }, async (t) => {
  const box = sandbox(t);
  const mark = join(box.directory, 'mark');
  const bundle = box.bundle((spec) => {
    spec.hooks = { poststop: [{ path: '/bin/sh', args: ['sh', '-c', `cat >${mark}`] }] };
  });
  const id = await box.create(bundle);
  writeFileSync(join(box.root, id, 'state.json'), '');
  await box.runtimeOk(['delete', '--force', id]);
  t.match(JSON.parse(readFileSync(mark, 'utf8')), { id, status: 'stopped', bundle: bundle.directory });
});

t.test('a later version’s record alone has all that delete needs', { skip }, async (t) => {
  const box = sandbox(t);
  const { id, pid, cgroup, directory } = await running(box);
  const path = join(directory, 'state.json');
  rmSync(join(directory, '.remains'));
  const later = { ...JSON.parse(readFileSync(path, 'utf8')), version: 3, phase: { more: true } };
  writeFileSync(path, JSON.stringify(later));
  t.match(await box.runtime(['state', id]), { code: 1, stderr: /a later version of tsrun made it/ });
  t.match(await box.runtime(['delete', '--force', id]), { code: 0, stderr: /level=warning msg="the state of / });
  t.notOk(isAlive(pid));
  t.notOk(existsSync(cgroup));
});
