/** A hook that does not end holds up its own container only, and that one can be got rid of. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { requires, type Sandbox, sandbox, waitFor } from '../../harness/index.ts';
import { ShimClient } from '../../harness/shim-client.ts';

const skip = requires({ root: true, cgroup2: true, runtime: 'tsrun', files: ['/bin/busybox'] });

/** By the call that they are a part of. */
const ofCreate = ['prestart', 'createRuntime', 'createContainer'] as const;
const ofStart = ['startContainer', 'poststart'] as const;
type Kind = (typeof ofCreate)[number] | (typeof ofStart)[number] | 'poststop';

t.test('hooks that do not end', { skip }, async (t) => {
  const box = sandbox(t);
  const client = await ShimClient.start(t, box);
  const setting = { box, client };
  for (const kind of ofCreate) await t.test(kind, (t) => inCreate(t, setting, kind));
  for (const kind of ofStart) await t.test(kind, (t) => inStart(t, setting, kind));
  await t.test('poststop', (t) => inDelete(t, setting));
  await t.test('many at once', (t) => many(t, setting));
});

t.test('hooks with a timeout', { skip }, async (t) => {
  const box = sandbox(t);
  const client = await ShimClient.start(t, box);
  for (const kind of [...ofCreate, ...ofStart]) await t.test(kind, (t) => timesOut(t, { box, client }, kind));
});

interface Setting {
  readonly box: Sandbox;
  readonly client: ShimClient;
}

/** A bundle with a hook that says its pid, as init's namespaces have it, and then sleeps. */
function stuckBundle(box: Sandbox, kind: Kind, timeout?: number) {
  const bundle = box.bundle((spec) => {
    spec.process.args = ['sleep', '1000'];
  });
  const [directory, inside] = kind === 'startContainer' ? [bundle.rootfs, ''] : [bundle.directory, bundle.directory];
  const script = `echo $$ >${inside}/.hook; mv ${inside}/.hook ${inside}/hook; exec sleep 1000`;
  bundle.edit((spec) => {
    spec.hooks = {
      [kind]: [{ path: '/bin/sh', args: ['sh', '-c', script], ...(timeout !== undefined && { timeout }) }],
    };
  });
  return { bundle, runs: () => existsSync(join(directory, 'hook')) || undefined, file: join(directory, 'hook') };
}

/** A whole life of another container beside the stuck one. */
async function other(t: Test, { box, client }: Setting): Promise<void> {
  const id = box.newId();
  const bundle = box.bundle((spec) => {
    spec.process.args = ['sh', '-c', 'trap "exit 4" TERM; : >/ready; while :; do sleep 0.02; done'];
  });
  await client.create(id, bundle.directory);
  await client.ask('Start', id);
  await waitFor('the other one', () => bundle.has('ready') || undefined);
  await client.exec(id, 'one', { ...bundle.spec.process, args: ['sh', '-c', 'exit 5'] });
  await client.ask('Start', id, 'one');
  t.equal((await client.ask('Wait', id, 'one')).exit_status, 5);
  await client.kill(id, 15);
  t.equal((await client.ask('Wait', id)).exit_status, 4);
  await client.ask('Delete', id);
}

/** What containerd does when its client no longer waits for Create. */
async function inCreate(t: Test, setting: Setting, kind: Kind) {
  const { box, client } = setting;
  const id = box.newId();
  const { bundle, runs, file } = stuckBundle(box, kind);
  const creating = t.rejects(client.create(id, bundle.directory), /OCI runtime create failed: .*ended before/);
  await waitFor('the hook', runs);
  await other(t, setting);
  await t.rejects(client.ask('Start', id), /no such task/, 'it is still at its hook');
  await t.rejects(client.create(id, bundle.directory), /already exists/);
  await t.rejects(client.ask('Delete', id), /no such task/);
  await creating;
  if (kind !== 'createContainer') t.notOk(isAlive(file), 'the hook has ended, too');
  await client.create(
    id,
    bundle.edit((spec) => {
      spec.hooks = {};
    }).directory,
  );
  await client.ask('Delete', id);
}

async function inStart(t: Test, setting: Setting, kind: Kind) {
  const { box, client } = setting;
  const id = box.newId();
  const { bundle, runs, file } = stuckBundle(box, kind);
  const { pid } = await client.create(id, bundle.directory);
  const starting = t.rejects(client.ask('Start', id), /OCI runtime start failed: .*(ended|killed) before/);
  await waitFor('the hook', runs);
  await other(t, setting);
  await t.rejects(client.ask('Delete', id), /must be stopped/);
  await client.kill(id, 9);
  t.match(await client.ask('Wait', id), { exit_status: 137 });
  await starting;
  if (kind === 'poststart') t.notOk(isAlive(file), 'the hook has ended, too');
  await client.waitForEvent(`/tasks/exit of ${id}`);
  t.match(await client.ask('Delete', id), { pid, exit_status: 137 });
}

async function inDelete(t: Test, setting: Setting) {
  const { box, client } = setting;
  const id = box.newId();
  const { bundle, runs, file } = stuckBundle(box, 'poststop');
  const { pid } = await client.create(id, bundle.directory);
  await client.ask('Start', id);
  await client.kill(id, 9);
  await client.ask('Wait', id);
  const deleting = client.ask('Delete', id);
  await waitFor('the hook', runs);
  await other(t, setting);
  process.kill(pidIn(file), 'SIGKILL');
  t.match(await deleting, { pid, exit_status: 137 }, 'how a poststop hook ends is no reason to fail');
}

/** More than the threads that the shim has at first. */
async function many(t: Test, setting: Setting) {
  const { box, client } = setting;
  const stuck = Array.from({ length: 12 }, () => ({ id: box.newId(), ...stuckBundle(box, 'createRuntime') }));
  const creating = stuck.map(({ id, bundle }) => t.rejects(client.create(id, bundle.directory), /ended before/));
  for (const { runs } of stuck) await waitFor('the hook', runs);
  await other(t, setting);
  for (const { id } of stuck) await t.rejects(client.ask('Delete', id), /no such task/);
  await Promise.all(creating);
}

async function timesOut(t: Test, { box, client }: Setting, kind: Kind) {
  const id = box.newId();
  const { bundle } = stuckBundle(box, kind, 1);
  const error = new RegExp(`ran past specified timeout of 1s.*hooks/${kind}/0`);
  if (ofCreate.some((each) => each === kind)) return void (await t.rejects(client.create(id, bundle.directory), error));
  await client.create(id, bundle.directory);
  await t.rejects(client.ask('Start', id), error);
  await client.ask('Wait', id);
  await client.ask('Delete', id);
}

function isAlive(file: string): boolean {
  return existsSync(`/proc/${pidIn(file)}`);
}

function pidIn(file: string): number {
  return Number(readFileSync(file, 'utf8'));
}
