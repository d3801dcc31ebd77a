/** Between any two steps of a command another command may act, or the container may end. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import {
  type Bundle,
  lookUps,
  requires,
  type Sandbox,
  sandbox,
  stopAfter,
  takeAwayCgroup,
  waitFor,
} from '../../harness/index.ts';

const skip = requires({ root: true, cgroup2: true, runtime: 'tsrun', cgroupDriver: 'cgroupfs', commands: ['strace'] });

/**
 * A program that says that it runs, for tests that end the container of a `run`. The state is `running` a little before
 * init becomes the program, and if init is killed then, run fails.
 */
function sayingReady(box: Sandbox): Bundle {
  return box.bundle((spec) => {
    spec.process.args = ['sh', '-c', ': > /ready; exec sleep 1000'];
  });
}

function stateFile(box: Sandbox, id: string, name = 'state.json'): string {
  return join(box.root, id, name);
}

/** Whether the process waits for a lock of flock(2). */
function waitsForLock(pid: number): boolean {
  return new RegExp(`^\\d+: -> FLOCK +ADVISORY +WRITE ${pid} `, 'm').test(readFileSync('/proc/locks', 'utf8'));
}

t.test('start of a container that is deleted meanwhile', { skip }, async (t) => {
  const box = sandbox(t);
  const id = await box.create(box.bundle());
  const socket = stateFile(box, id, 'exec.sock');
  const goOn = await stopAfter(box, { call: lookUps, path: socket }, ['start', id]);
  await box.runtimeOk(['delete', id]);
  t.match(await goOn(), { code: 1, stderr: /msg="cannot start a container that has stopped"/ });
});

t.test('a state is never one that the container has not been in', { skip }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle();
  const id = await box.create(bundle);
  const flag = join(box.cgroupOf(bundle), 'cgroup.events');
  const goOn = await stopAfter(box, { call: 'openat', path: flag }, ['state', id]);
  await box.runtimeOk(['delete', id]);
  const { stdout } = await goOn();
  t.equal(JSON.parse(stdout).status, 'created', 'it has never run');
});

t.test('exec in a container that is deleted meanwhile', { skip }, async (t) => {
  const box = sandbox(t);
  const { id, bundle } = await box.idle();
  const flag = join(box.cgroupOf(bundle), 'cgroup.events');
  const goOn = await stopAfter(box, { call: 'openat', path: flag }, ['exec', id, 'true']);
  await box.runtimeOk(['delete', '--force', id]);
  t.match(await goOn(), { code: 255, stderr: /msg="exec failed: cannot exec in a stopped container"/ });
});

t.test('update of a container whose cgroup goes away meanwhile', { skip }, async (t) => {
  const box = sandbox(t);
  const { id, bundle } = await box.idle();
  const resources = join(box.directory, 'resources.json');
  writeFileSync(resources, JSON.stringify({ devices: [{ allow: true, access: 'rwm' }] }));
  const flag = join(box.cgroupOf(bundle), 'cgroup.events');
  const goOn = await stopAfter(box, { call: 'openat', path: flag }, ['update', '--resources', resources, id]);
  await takeAwayCgroup(box.cgroupOf(bundle));
  t.match(await goOn(), { code: 1, stderr: /msg="container not running \(hint: it is stopped\)"/ });
});

t.test('delete of a container whose `run --keep` writes down how it has ended', { skip }, async (t) => {
  const box = sandbox(t);
  const bundle = sayingReady(box);
  const id = box.newId();
  // The first two writes are create's.
  const written = { call: 'openat', path: stateFile(box, id, '.state.json'), nth: 3 };
  const stopped = stopAfter(box, written, ['run', '--keep', '--bundle', bundle.directory, id]);
  await waitFor('the program', () => bundle.has('ready') || undefined);
  await box.runtimeOk(['kill', id, 'KILL']);
  const goOn = await stopped;
  const deletion = box.startRuntime(['delete', '--force', id]);
  await waitFor('delete to wait for run', () => {
    if (deletion.child.exitCode !== null) throw new Error(`it has not waited: ${deletion.output.stderr}`);
    return waitsForLock(deletion.pid) ? true : undefined;
  });
  t.match(await goOn(), { code: 137, stderr: '' });
  t.match(await deletion.done, { code: 0, stderr: '' });
  t.same(readdirSync(box.root), []);
});

t.test(
  'a run that is killed before the start: the container has stopped, and nobody else could start it',
  { skip },
  async (t) => {
    const box = sandbox(t);
    const id = box.newId();
    const { directory } = box.bundle();
    // The second record has the status created.
    const written = { call: 'openat', path: stateFile(box, id, '.state.json'), nth: 2 };
    await stopAfter(box, written, ['run', '--bundle', directory, id]);
    t.notOk(existsSync(stateFile(box, id, 'exec.sock')), 'no exec socket');
    const { init, creator } = JSON.parse(readFileSync(stateFile(box, id, 'state.json'), 'utf8'));
    t.equal(init, undefined, 'not written yet');
    process.kill(creator.pid, 'SIGKILL');
    await box.waitForState(id, 'stopped');
    t.match(await box.runtime(['start', id]), { code: 1, stderr: /has stopped/ });
    await box.runtimeOk(['delete', id]);
    t.same(readdirSync(box.root), []);
  },
);

t.test('`run --keep` of a container that is deleted meanwhile', { skip }, async (t) => {
  const box = sandbox(t);
  const bundle = sayingReady(box);
  const id = box.newId();
  const run = box.startRuntime(['run', '--keep', '--bundle', bundle.directory, id]);
  await waitFor('the program', () => bundle.has('ready') || undefined);
  run.child.kill('SIGSTOP');
  await box.runtimeOk(['delete', '--force', id]);
  run.child.kill('SIGCONT');
  t.match(await run.done, { code: 137, stderr: '' });
  t.same(readdirSync(box.root), []);
});

t.test('state of a create that was killed is creating while init still runs', { skip }, async (t) => {
  for (const withHook of [false, true]) {
    const box = sandbox(t);
    const id = box.newId();
    const bundle = box.bundle((spec) => {
      if (withHook) spec.hooks = { createRuntime: [{ path: '/bin/true' }] };
    });
    const status = async () => (await box.state(id)).status;
    const moment = { call: '/^fsync$', path: join(box.root, id, '.state.json'), nth: withHook ? 3 : 2 };
    const goOn = await stopAfter(box, moment, ['create', '--bundle', bundle.directory, id]);
    const record = JSON.parse(readFileSync(stateFile(box, id), 'utf8'));
    t.equal(record.init !== undefined, withHook);
    // A frozen init does not see that its create is gone.
    const freeze = join(box.cgroupOf(bundle), 'cgroup.freeze');
    writeFileSync(freeze, '1');
    process.kill(record.creator.pid, 'SIGKILL');
    await goOn();
    t.equal(await status(), 'creating');
    writeFileSync(freeze, '0');
    await waitFor('init to end', async () => ((await status()) === 'stopped' ? true : undefined));
    t.equal(readFileSync(join(box.cgroupOf(bundle), 'cgroup.procs'), 'utf8'), '');
    await box.runtimeOk(['delete', id]);
  }
});

t.test('delete after a create that was killed while a child of it was on the way to execve', { skip }, async (t) => {
  const box = sandbox(t);
  const id = await box.create(box.bundle());
  const record = JSON.parse(readFileSync(stateFile(box, id), 'utf8'));
  const killed = { ...record, phase: 'creating', creator: { ...record.creator, startTime: 1 } };
  writeFileSync(stateFile(box, id), JSON.stringify(killed));
  // The child inherits the lock.
  const held = ['--no-fork', join(box.root, id), 'sh', '-c', 'echo held; exec sleep 1000'];
  const child = box.startProgram('flock', held);
  await waitFor('the lock', () => (child.output.stdout === 'held\n' ? true : undefined));
  const deletion = box.startRuntime(['delete', id]);
  await waitFor('delete to wait for the lock', () => {
    if (deletion.child.exitCode !== null) throw new Error(`it has not waited: ${deletion.output.stderr}`);
    return waitsForLock(deletion.pid) ? true : undefined;
  });
  child.child.kill('SIGKILL');
  t.match(await deletion.done, { code: 0, stderr: '' });
  t.same(readdirSync(box.root), []);
});

t.test('create whose parent cgroup another create removes again', { skip }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle((spec) => {
    spec.linux.cgroupsPath = `${box.cgroup}/parent/own`;
  });
  const cgroup = box.cgroupOf(bundle);
  mkdirSync(dirname(cgroup), { recursive: true });
  const id = box.newId();
  const create = ['create', '--bundle', bundle.directory, id];
  const goOn = await stopAfter(box, { call: lookUps, path: dirname(cgroup) }, create);
  rmdirSync(dirname(cgroup));
  t.match(await goOn(), { code: 0 });
  t.match(await box.state(id), { status: 'created' });
  await box.runtimeOk(['delete', id]);
  rmdirSync(dirname(cgroup));
});

t.test('two creates with one cgroup at the same time', { skip }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle();
  const cgroup = box.cgroupOf(bundle);
  const create = ['create', '--bundle', bundle.directory, box.newId()];
  // The first lookup finds out whose the cgroup is to remove.
  const goOn = await stopAfter(box, { call: lookUps, path: cgroup, nth: 2 }, create);
  const other = await box.create(bundle);
  t.match(await goOn(), { code: 1, stderr: /msg="container's cgroup is in use: .*two containers cannot share/ });
  t.match(await box.state(other), { status: 'created' }, 'and has left the other alone');
});
