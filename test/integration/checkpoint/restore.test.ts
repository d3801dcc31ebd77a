/** `checkpoint` and `restore`: a program goes on where it was. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { block, Checkpoints, type Witness, witness } from '../../harness/checkpointed.ts';
import { criuForTests } from '../../harness/criu.ts';
import { requires, sandbox, waitFor } from '../../harness/index.ts';

t.setTimeout(30 * 60 * 1000);
const criu = await criuForTests();
const skip = requires({ runtime: 'tsrun' }) || criu.skip;

t.test('a program goes on where it was: count, thread, timer, child and pipe, file offset', { skip }, async (t) => {
  const at = new Checkpoints(sandbox(t), criu);
  const bundle = at.bundle();
  const id = await at.start(bundle);
  t.match(await at.checkpoint(id), { stdout: '', stderr: '' });
  const saved = witness(bundle) as Witness;
  t.match((await at.box.runtime(['state', id])).stderr, /container does not exist/, 'it is gone');
  const restored = await at.restore(bundle);
  t.match(await at.box.state(restored), { status: 'running', id: restored, bundle: bundle.directory });
  const later = await at.goesOn(bundle, saved);
  t.equal(later.offset, later.count, 'the file is written on from where it was');
  t.equal(readFileSync(join(bundle.rootfs, 'written'), 'utf8').replaceAll('.', ''), '', 'without a gap');
});

t.test('with --leave-running it goes on', { skip }, async (t) => {
  const at = new Checkpoints(sandbox(t), criu);
  const bundle = at.bundle();
  const id = await at.start(bundle);
  await at.checkpoint(id, ['--leave-running']);
  await at.goesOn(bundle, witness(bundle));
  t.equal((await at.box.state(id)).status, 'running');
  const log = readFileSync(join(at.images(), 'dump.log'), 'latin1');
  t.match(log, /^\([\d.]+\) cgroup\.freeze=1$/m);
  t.notMatch(log, /cgroup\.freeze=0/, 'CRIU found it frozen, and waited for nothing');
});

t.test('a paused container stays so with --leave-running, and goes on when it is resumed', { skip }, async (t) => {
  const at = new Checkpoints(sandbox(t), criu);
  const bundle = at.bundle();
  const id = await at.start(bundle);
  await at.box.runtimeOk(['pause', id]);
  await at.checkpoint(id, ['--leave-running']);
  t.equal((await at.box.state(id)).status, 'paused');
  // The images fit to what the files are now, and to no later state of them.
  const copy = at.box.bundle((spec) => Object.assign(spec, { process: bundle.spec.process }));
  rmSync(copy.rootfs, { recursive: true });
  execFileSync('cp', ['-a', bundle.rootfs, copy.rootfs]);
  const saved = witness(copy) as Witness;
  await at.box.runtimeOk(['resume', id]);
  await at.goesOn(bundle, saved);
  await at.restore(copy);
  await at.goesOn(copy, saved);
  await at.goesOn(bundle, witness(bundle));
});

t.test('the restored container is one like others', { skip }, async (t) => {
  const at = new Checkpoints(sandbox(t), criu);
  const bundle = at.bundle();
  await at.checkpoint(await at.start(bundle));
  const pidFile = join(at.box.directory, 'pid');
  const id = await at.restore(bundle, ['--pid-file', pidFile]);
  const { pid } = await at.box.state(id);
  t.equal(readFileSync(pidFile, 'utf8'), String(pid));
  const { stdout } = await at.box.runtimeOk(['exec', id, 'cat', '/proc/1/comm', '/proc/self/cgroup']);
  t.match(stdout, /^witness\n(.*\n)?0::\/\n$/s, 'it has its pid and cgroup namespaces');
  t.match(readFileSync(`/proc/${pid}/cgroup`, 'utf8'), `0::${at.box.cgroup}/`);
  await at.box.runtimeOk(['pause', id]);
  t.equal((await at.box.state(id)).status, 'paused');
  await at.box.runtimeOk(['resume', id]);
  const waiting = at.box.startRuntime(['wait', id]);
  await at.box.runtimeOk(['kill', id, 'KILL']);
  t.equal((await waiting.done).code, 0);
  await at.box.runtimeOk(['delete', id]);
});

t.test('it can be saved and restored again', { skip }, async (t) => {
  const at = new Checkpoints(sandbox(t), criu);
  const bundle = at.bundle();
  let id = await at.start(bundle);
  for (const round of ['first', 'second', 'third']) {
    await at.checkpoint(id, [], at.images(round));
    const saved = witness(bundle) as Witness;
    id = await at.restore(bundle, [], at.images(round));
    await at.goesOn(bundle, saved);
  }
});

t.test('in the foreground restore waits for it, passes signals on and gives its exit code', { skip }, async (t) => {
  const at = new Checkpoints(sandbox(t), criu);
  const bundle = at.bundle((spec) => {
    const script = 'trap "exit 7" TERM; echo ready > /ready; while :; do sleep 0.1; done';
    spec.process.args = ['/bin/sh', '-c', script];
  });
  const id = await at.create(bundle);
  await at.box.runtimeOk(['start', id]);
  await waitFor('the program', () => bundle.has('ready') || undefined);
  await at.checkpoint(id);
  const flags = ['--network-lock', 'skip', '--image-path', at.images(), '--bundle', bundle.directory];
  const restored = at.box.newId();
  const running = at.box.startRuntime(['restore', ...flags, restored], {
    env: at.env,
    outputFiles: join(at.box.directory, restored),
  });
  await at.box.waitForState(restored, 'running');
  running.child.kill('SIGTERM');
  t.match(await running.done, { code: 7, stderr: '' });
  t.match((await at.box.runtime(['state', restored])).stderr, /container does not exist/);
});

t.test('restore --auto-dedup takes the memory out of the images, which then are refused', { skip }, async (t) => {
  const at = new Checkpoints(sandbox(t), criu);
  const bundle = at.bundle(undefined, ['memory']);
  const id = await at.start(bundle);
  await at.checkpoint(id);
  const saved = witness(bundle) as Witness;
  const blocks = () => {
    const names = readdirSync(at.images()).filter((name) => name.startsWith('pages-'));
    return names.reduce((sum, name) => sum + statSync(join(at.images(), name)).blocks, 0);
  };
  const before = blocks();
  const last = await at.restore(bundle, ['--auto-dedup']);
  t.equal((await at.goesOn(bundle, saved)).intact, block.pages);
  t.ok(blocks() < before / 2, `${blocks()} of ${before} blocks are left`);
  const where = ['--image-path', at.images(), '--bundle', bundle.directory];
  const { code, stderr } = await at.runtime(['restore', '--detach', ...where, at.box.newId()]);
  t.equal(code, 1);
  t.match(stderr, /a restore with --auto-dedup has taken the memory out of .*images \(hint: /);
  await at.checkpoint(last);
  await at.restore(bundle);
  t.equal((await at.goesOn(bundle, saved)).intact, block.pages, 'new images in their place serve');
});
