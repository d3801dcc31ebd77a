/** Checkpoint, and Create from one: the task goes on when Start is asked. */
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  constants,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { criuForTests } from '../../harness/criu.ts';
import { type Bundle, requires, type Sandbox, sandbox, waitFor } from '../../harness/index.ts';
import { ShimClient } from '../../harness/shim-client.ts';

const criu = await criuForTests();
const skip = requires({ root: true, cgroup2: true, runtime: 'tsrun', files: ['/bin/busybox'] }) || criu.skip;

/** In containerd.v1.types.Status. */
const status = { created: 1, running: 2, stopped: 3 };

/** A program that begins anew is far behind. */
const script = 'n=0; while :; do n=$((n+1)); echo $n; echo $n >/n && mv /n /count; sleep 0.02; done';
const far = 30;

t.test('checkpoint and restore', { skip }, async (t) => {
  const box = sandbox(t);
  process.env.PATH = criu.path;
  const client = await ShimClient.start(t, box);
  const setting = { box, client };
  await t.test('to FIFOs', (t) => moves(t, setting, false));
  await t.test('with a terminal', (t) => moves(t, setting, true));
  await t.test('the engine is killed before and after Start', (t) => killed(t, setting));
  await t.test('what cannot be', (t) => refused(t, setting));
});

interface Setting {
  readonly box: Sandbox;
  readonly client: ShimClient;
}

function bundleOf(box: Sandbox, terminal: boolean): Bundle {
  const config = join(box.directory, 'criu.conf');
  // Not every kernel has what CRIU locks connections with.
  writeFileSync(config, 'network-lock skip\n');
  return box.bundle((spec) => {
    spec.process.args = ['sh', '-c', script];
    spec.process.terminal = terminal;
    spec.annotations = { 'org.criu.config': config };
  });
}

/** The bundle's root filesystem under another cgroup. */
function moved(box: Sandbox, bundle: Bundle, terminal: boolean): Bundle {
  const copy = bundleOf(box, terminal);
  execFileSync('cp', ['-a', `${bundle.rootfs}/.`, copy.rootfs]);
  return copy;
}

/** A FIFO, and what comes out of it. */
function pipe(t: Test, box: Sandbox): { path: string; read(): string } {
  const path = join(box.directory, box.newId());
  execFileSync('mkfifo', [path]);
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  t.teardown(() => closeSync(fd));
  const bytes = Buffer.alloc(64 << 10);
  const read = () => {
    try {
      return bytes.toString('latin1', 0, readSync(fd, bytes));
    } catch {
      return '';
    }
  };
  return { path, read };
}

async function counts(bundle: Bundle, least: number): Promise<number> {
  return waitFor(`${bundle.directory} to count to ${least}`, () => {
    const count = existsSync(`${bundle.rootfs}/count`) ? Number(readFileSync(`${bundle.rootfs}/count`)) : 0;
    return count >= least ? count : undefined;
  });
}

/** Starts a task that counts, and saves and ends it. */
async function saved(t: Test, { box, client }: Setting, terminal: boolean) {
  const id = box.newId();
  const bundle = bundleOf(box, terminal);
  const images = join(box.directory, `images-${id}`);
  await client.create(id, bundle.directory, { stdout: pipe(t, box).path, terminal });
  await client.ask('Start', id);
  await counts(bundle, far);
  await client.checkpoint(id, `${images}-first`, { work_path: `${images}-work` });
  t.ok(readdirSync(`${images}-work`).includes('dump.log'));
  await counts(bundle, (await counts(bundle, far)) + 1);
  await client.checkpoint(id, images, { exit: true });
  t.equal((await client.ask('Wait', id)).exit_status, 137);
  t.equal((await client.ask('State', id)).status, status.stopped);
  await client.ask('Delete', id);
  await client.waitForEvent(`/tasks/checkpointed of ${id}`);
  return { bundle, images };
}

async function moves(t: Test, setting: Setting, terminal: boolean) {
  const { box, client } = setting;
  const { bundle, images } = await saved(t, setting, terminal);
  const reached = await counts(bundle, far);
  const copy = moved(box, bundle, terminal);
  const id = box.newId();
  const output = pipe(t, box);
  const created = await client.create(id, copy.directory, { checkpoint: images, stdout: output.path, terminal });
  t.equal(created.pid, 0, 'there is no process yet');
  t.equal((await client.ask('State', id)).status, status.created);
  await t.rejects(client.exec(id, 'early', copy.spec.process), /no process before Start/);
  await t.rejects(client.kill(id, 9), /no process before Start/);
  const { pid } = await client.ask('Start', id);
  t.match(await client.ask('State', id), { status: status.running, pid });
  await counts(copy, reached + 1);
  const told = await waitFor('its output', () => /^(\d+)\r?\n/m.exec(output.read())?.[1]);
  t.ok(Number(told) >= far, `it goes on at ${told}`);
  await t.rejects(client.ask('Start', id), /running/);
  const exec = { ...copy.spec.process, terminal: false, args: ['sh', '-c', 'exit 5'] };
  await client.exec(id, 'one', exec);
  await client.ask('Start', id, 'one');
  t.equal((await client.ask('Wait', id, 'one')).exit_status, 5);
  await client.kill(id, 9);
  t.equal((await client.ask('Wait', id)).exit_status, 137);
  t.match(await client.ask('Delete', id), { pid, exit_status: 137 });
  for (const topic of ['create', 'start', 'exit', 'delete']) await client.waitForEvent(`/tasks/${topic} of ${id}`);
}

async function killed(t: Test, setting: Setting) {
  const { box, client } = setting;
  const { bundle, images } = await saved(t, setting, false);
  const reached = await counts(bundle, far);
  const copy = moved(box, bundle, false);
  const id = box.newId();
  await client.create(id, copy.directory, { checkpoint: images });
  await client.killEngine();
  t.equal((await client.ask('State', id)).status, status.created);
  const waited = client.ask('Wait', id);
  await client.ask('Start', id);
  await counts(copy, reached + 1);
  await client.killEngine();
  await client.kill(id, 9);
  t.equal((await waited).exit_status, 137);
  await client.ask('Delete', id);

  // Within Start: its images are restored once more.
  const again = box.newId();
  const third = moved(box, bundle, false);
  await client.create(again, third.directory, { checkpoint: images });
  const starting = client.ask('Start', again);
  await waitFor('init', () => existsSync(join(box.root, again, 'state.json')) || undefined);
  await client.killEngine();
  await starting;
  await counts(third, reached + 1);
  await client.kill(again, 9);
  await client.ask('Wait', again);
  await client.ask('Delete', again);
}

async function refused(t: Test, { box, client }: Setting) {
  const bundle = bundleOf(box, false);
  const id = box.newId();
  await client.create(id, bundle.directory, { checkpoint: '/no/images' });
  await t.rejects(client.ask('Start', id), /OCI runtime restore failed: .*there is no such directory/);
  await t.rejects(client.checkpoint(id, '/tmp/x'), /no process before Start/);
  await client.ask('Delete', id);
  await client.waitForEvent(`/tasks/delete of ${id}`);
  t.notOk(client.events.includes(`/tasks/exit of ${id}`), 'what never ran has no exit');

  const running = box.newId();
  await client.create(running, bundle.directory);
  const path = join(box.directory, 'images');
  await t.rejects(client.checkpoint(running, path), /cannot|created/, 'it has not been started');
  await client.ask('Start', running);
  await t.rejects(client.checkpoint(running, ''), /without a path/);
  await t.rejects(client.checkpoint(running, path, { cgroups_mode: 'hard' }), /hard: none of ignore, none, props/);
  await t.rejects(client.checkpoint(running, path, { empty_namespaces: ['user'] }), /empty namespace user/);
  await client.kill(running, 9);
  await client.ask('Wait', running);
  await client.ask('Delete', running);
}
