/** An engine of today goes on with what an engine of before has left, and says so of what a newer one has. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { TaskNote } from '../../../src/shim/ledger.ts';
import { repoRoot, requires, sandbox, waitFor } from '../../harness/index.ts';
import { ShimClient } from '../../harness/shim-client.ts';

const skip = requires({ root: true, cgroup2: true, runtime: 'tsrun', files: ['/bin/busybox'] });

/** As the shim of commit 8fc655a wrote it, with line breaks. It had no number of its format yet. */
const oldFile = join(repoRoot, 'test/integration/shim/ledger-of-8fc655a.json');

t.test('the file of a task', { skip }, async (t) => {
  const box = sandbox(t);
  const client = await ShimClient.start(t, box);

  await t.test('of an older version', async (t) => {
    const id = await runTask();
    writeFileSync(client.noteOf(id), JSON.stringify(aged(client, id)));
    await client.killEngine();
    t.match(await client.ask('State', id, 'ended'), { exit_status: 5 });
    t.equal((await client.ask('Delete', id, 'ended')).exit_status, 5);
    await client.ask('Start', id, 'added');
    t.equal((await client.ask('Wait', id, 'added')).exit_status, 6);
    const { pid } = await client.ask('State', id, 'running');
    process.kill(pid, 'SIGTERM');
    t.equal((await client.ask('Wait', id, 'running')).exit_status, 143);
    await client.kill(id, 9);
    t.equal((await client.ask('Wait', id)).exit_status, 137);
    await client.ask('Delete', id);
  });

  await t.test('of a newer version', async (t) => {
    const id = await runTask();
    const note = { ...JSON.parse(readFileSync(client.noteOf(id), 'utf8')), format: 99 };
    writeFileSync(client.noteOf(id), JSON.stringify(note));
    await client.killEngine();
    await t.rejects(client.ask('State', id), /no such task/);
    const log = () => readFileSync(`${client.socket}.log`, 'utf8');
    await waitFor('the log', () => /of a newer tsrun \(format 99; this one knows 1\)/.test(log()) || undefined);
    t.equal((await box.state(id)).status, 'running');
    t.ok(existsSync(client.noteOf(id)), 'it is left for that version');
    await box.runtimeOk(['delete', '--force', id]);
  });

  /** One with a process of Exec's that runs, one that has ended, and one that is only added. */
  async function runTask(): Promise<string> {
    const id = box.newId();
    const bundle = box.bundle((spec) => {
      spec.process.args = ['sleep', '1000'];
    });
    await client.create(id, bundle.directory);
    await client.ask('Start', id);
    const exec = (name: string, ...args: string[]) => client.exec(id, name, { ...bundle.spec.process, args });
    await exec('running', 'sleep', '1000');
    await client.ask('Start', id, 'running');
    await exec('ended', 'true');
    await client.ask('Start', id, 'ended');
    await client.ask('Wait', id, 'ended');
    await exec('added', 'true');
    await client.waitForEvent(`/tasks/exit of ${id}`);
    return id;
  }
});

/** The old file, with this task's names and processes. */
function aged(client: ShimClient, id: string): TaskNote {
  const old = JSON.parse(readFileSync(oldFile, 'utf8')) as TaskNote;
  const now = JSON.parse(readFileSync(client.noteOf(id), 'utf8')) as TaskNote;
  const { root, bundle } = now.options;
  const execs = old.execs.map((exec, index) => {
    const { identity } = now.execs[index] ?? {};
    return exec.identity === undefined ? exec : { ...exec, identity };
  });
  return { ...old, options: { ...old.options, id, root, bundle }, identity: now.identity, execs };
}
