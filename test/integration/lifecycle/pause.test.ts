/** `pause`, `resume`, `ps` and `kill --all`. */
import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import {
  type Differences,
  requires,
  run,
  runtimeName,
  runtimePath,
  type Sandbox,
  sandbox,
  waitFor,
} from '../../harness/index.ts';

const skip = requires({ root: true, cgroup2: true });
const traceable = requires({ root: true, cgroup2: true, runtime: 'tsrun', commands: ['strace'] });
const needs = (differs?: Differences) => requires({ root: true, cgroup2: true, ...(differs && { differs }) });

/** Starts a container whose program appends bytes to /ticks while it can. */
async function ticking(box: Sandbox) {
  const bundle = box.bundle((spec) => {
    spec.process.args = ['/bin/sh', '-c', 'while :; do echo >> /ticks; sleep 0.01; done'];
  });
  const id = await box.createAndStart(bundle);
  const ticks = () => (bundle.has('ticks') ? readFileSync(`${bundle.rootfs}/ticks`).length : 0);
  await waitFor('the first tick', () => ticks() || undefined);
  return { id, ticks };
}

t.test('a paused container does nothing until it is resumed', { skip }, async (t) => {
  const box = sandbox(t);
  const { id, ticks } = await ticking(box);
  await box.runtimeOk(['pause', id]);
  t.equal((await box.state(id)).status, 'paused');
  const before = ticks();
  // Takes longer than a tick, like any command.
  await box.runtimeOk(['list']);
  t.equal(ticks(), before);
  await box.runtimeOk(['resume', id]);
  t.equal((await box.state(id)).status, 'running');
  await waitFor('a tick after resume', () => (ticks() > before ? true : undefined));
});

t.test(
  'pause and resume refuse in the words that callers match',
  { skip: needs({ crun: 'has words of its own' }) },
  async (t) => {
    const box = sandbox(t);
    const { id } = await ticking(box);
    t.match((await box.runtime(['resume', id])).stderr, /container not paused/);
    await box.runtimeOk(['pause', id]);
    t.match((await box.runtime(['pause', id])).stderr, /container not running/);
    const exec = await box.runtime(['exec', id, 'true']);
    t.match(exec.stderr, /cannot exec in a paused container/);
    t.equal(exec.code, 255);
    await box.runtimeOk(['kill', id, 'KILL']);
    await box.waitForState(id, 'stopped');
    t.match((await box.runtime(['pause', id])).stderr, /container not running/);
  },
);

t.test(
  'a created container can be paused, and is created again once it is resumed',
  { skip: needs({ crun: 'loses it: it is stopped after' }) },
  async (t) => {
    const box = sandbox(t);
    const id = await box.create(box.bundle());
    await box.runtimeOk(['pause', id]);
    t.equal((await box.state(id)).status, 'paused');
    t.not((await box.runtime(['start', id])).code, 0);
    await box.runtimeOk(['resume', id]);
    t.equal((await box.state(id)).status, 'created');
  },
);

t.test('ps prints the pids of all processes', { skip }, async (t) => {
  const box = sandbox(t);
  const { id } = await ticking(box);
  const pids: number[] = JSON.parse((await box.runtimeOk(['ps', '--format', 'json', id])).stdout);
  t.ok(pids.includes((await box.state(id)).pid));
  t.notOk(pids.includes(process.pid));
});

t.test('ps prints as ps -ef does', { skip: needs({ crun: 'has another table' }) }, async (t) => {
  const box = sandbox(t);
  const { id } = await ticking(box);
  const { pid } = await box.state(id);
  const [header, ...lines] = (await box.runtimeOk(['ps', id])).stdout.trimEnd().split('\n');
  t.match(header, /^UID +PID +PPID +C +STIME +TTY +TIME +CMD$/);
  t.ok(
    lines.some((line) => new RegExp(`^\\S+ +${pid} `).test(line)),
    lines.join('\n'),
  );
});

t.test('ps looks at no other process', { skip: traceable }, async (t) => {
  const box = sandbox(t);
  const { id } = await ticking(box);
  const { pid } = await box.state(id);
  const log = `${box.directory}/calls`;
  const strace = ['-f', '-e', 'trace=openat', '-o', log, runtimePath, '--root', box.root, 'ps', id];
  t.match(await run('strace', strace), { code: 0 });
  const calls = readFileSync(log, 'utf8');
  t.match(calls, `"/proc/${pid}/stat"`);
  t.notMatch(calls, `"/proc/${process.pid}/stat`);
});

t.test('ps prints the table that its arguments ask for', { skip: needs({ crun: 'takes no arguments' }) }, async (t) => {
  const box = sandbox(t);
  const { id } = await ticking(box);
  await box.runtimeOk(['exec', '--detach', id, 'sleep', '1234'], { outputFiles: `${box.directory}/exec` });
  const table = (await box.runtimeOk(['ps', id, '-e', '-o', 'pid,args'])).stdout.split('\n');
  t.match(table[0], /^ *PID COMMAND$/);
  t.ok(table.some((line) => /^ *\d+ sleep 1234$/.test(line)));
  t.notOk(table.some((line) => line.includes('node')));
  const evil = `${box.directory}/evil`;
  mkdirSync(evil);
  writeFileSync(`${evil}/ps`, '#!/bin/sh\necho PID; echo evil\n', { mode: 0o755 });
  const here = await box.runtime(['ps', id], { cwd: evil, env: { PATH: `:.:${process.env.PATH}` } });
  if (runtimeName === 'tsrun') t.notMatch(here.stdout, 'evil', 'no program of the working directory is run');
  const wrong = await box.runtime(['ps', id, '-e', '-o', 'args']);
  t.equal(wrong.code, 1);
  t.match(wrong.stderr, /PID/);
});

const initOnly = needs({ runc: 'sends it to init only where the container has a pid namespace of its own' });

t.test('kill --all reaches every process of the container', { skip: initOnly }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle((spec) => {
    const child = 'trap "touch /child; exit" USR1; touch /ready; while :; do sleep 0.01; done';
    // The child reports when it is ready, and by then init must be, too.
    spec.process.args = ['/bin/sh', '-c', `trap 'touch /init' USR1; sh -c '${child}' & while :; do sleep 0.01; done`];
  });
  const id = await box.createAndStart(bundle);
  await waitFor('the child', () => bundle.has('ready') || undefined);
  await box.runtimeOk(['kill', '--all', id, 'USR1']);
  await waitFor('both traps', () => (bundle.has('child') && bundle.has('init')) || undefined);
  await box.runtimeOk(['kill', '--all', id, '9']);
  await box.waitForState(id, 'stopped');
});

const silent = { code: 0, stdout: '', stderr: '' };

t.test('kill --all of a container that has stopped is no error', { skip: needs() }, async (t) => {
  const box = sandbox(t);
  for (const sharesPids of [false, true]) {
    const bundle = box.bundle((spec) => {
      spec.process.args = ['true'];
      // podman --pid=host: all of its processes may be gone, or some may outlive init.
      if (sharesPids) spec.linux.namespaces = spec.linux.namespaces.filter(({ type }) => type !== 'pid');
    });
    const id = await box.createAndStart(bundle);
    await box.waitForState(id, 'stopped');
    for (const signal of ['9', 'TERM', '0']) {
      t.match(await box.runtime(['kill', '--all', id, signal]), silent, `${signal}, sharing pids: ${sharesPids}`);
    }
    t.equal((await box.runtime(['kill', id, '9'])).code, 1, 'of one process it stays an error');
  }
  t.equal((await box.runtime(['kill', '--all', 'nobody', '9'])).code, 1, 'and so does a container that never was');
});

t.test('kill --all with signal 0 only looks', { skip: needs() }, async (t) => {
  const box = sandbox(t);
  const id = await box.create(box.bundle());
  t.match(await box.runtime(['kill', '-a', id, '0']), silent);
  t.equal((await box.state(id)).status, 'created');
});

const moved = requires({ root: true, cgroup2: true, runtime: 'tsrun', cgroupDriver: 'cgroupfs' });

t.test('kill --all reaches an init that has left its cgroup', { skip: moved }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle((spec) => {
    spec.process.args = ['sleep', '1000'];
  });
  const id = await box.createAndStart(bundle);
  const elsewhere = box.cgroupOf(bundle).replace(/[^/]*$/, 'elsewhere');
  mkdirSync(elsewhere);
  t.teardown(() => rmdirSync(elsewhere));
  writeFileSync(join(elsewhere, 'cgroup.procs'), String((await box.state(id)).pid));
  await box.runtimeOk(['kill', '--all', id, 'KILL']);
  await box.waitForState(id, 'stopped');
});
