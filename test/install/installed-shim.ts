/** containerd's shim as installed, asked as containerd does, where nothing of the checkout can be reached. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { repoRoot, type Sandbox, sandbox, waitFor } from '../harness/index.ts';
import { ShimClient } from '../harness/shim-client.ts';

export const shimName = 'containerd-shim-tsrun-v2';

const { version } = JSON.parse(readFileSync(join(repoRoot, 'package.json'), 'utf8'));
export const versionLine = new RegExp(`^${shimName} ${version.replaceAll('.', '\\.')} \\([0-9a-f]{12}\\)\\n$`);

/** A command that runs another in a mount namespace where the checkout is an empty directory. */
function withoutCheckout(...command: string[]): string[] {
  const script = 'mount -t tmpfs hidden "$0" && [ ! -e "$0/package.json" ] && exec "$@"';
  return ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', script, repoRoot, ...command];
}

/** @param program its path in the installation */
export async function livesAsInstalled(t: Test, program: string): Promise<void> {
  const box = sandbox(t);
  const [file = '', ...words] = withoutCheckout(program);
  const ask = (flag: string) => execFileSync(file, [...words, flag], { encoding: 'utf8', cwd: '/' });
  t.match(ask('-v'), versionLine);
  t.match(ask('-info'), /io\.containerd\.tsrun\.v2.*"ociVersionMin"/s);

  const client = await ShimClient.start(t, box, withoutCheckout(program));
  await runs(t, box, client);
  // A bundle that no shim has seen.
  t.ok(client.command('delete', box.bundle().directory, box.newId()).length > 0);

  await t.test('delete cleans up what a dead shim has left', async (t) => {
    const id = box.newId();
    const { directory } = box.bundle((spec) => {
      spec.process.args = ['sleep', '1000'];
    });
    const { pid } = await client.create(id, directory);
    await client.ask('Start', id);
    process.kill(await client.keeper(), 'SIGKILL');
    client.command('delete', directory, id);
    await waitFor('its process to end', () => !existsSync(`/proc/${pid}`) || undefined);
    t.notOk(existsSync(join(box.root, id)));
  });
}

/** A container from create to delete, with a process beside its first. */
async function runs(t: Test, box: Sandbox, client: ShimClient): Promise<void> {
  const id = box.newId();
  const bundle = box.bundle((spec) => {
    spec.process.args = ['sh', '-c', 'until [ -e /go ]; do sleep 0.1; done; exit 5'];
  });
  await client.create(id, bundle.directory);
  await client.ask('Start', id);
  await client.exec(id, 'one', { ...bundle.spec.process, args: ['sh', '-c', ': >/go'] });
  await client.ask('Start', id, 'one');
  t.equal((await client.ask('Wait', id, 'one')).exit_status, 0);
  t.equal((await client.ask('Wait', id)).exit_status, 5);
  await client.ask('Delete', id);
  await client.waitForEvent(`/tasks/delete of ${id}`);
}

/** @param path a PATH */
export function startWith(program: string, path: string): { status: number | null; stdout: string; stderr: string } {
  const flags = ['-namespace', 'none', '-id', 'none', '-address', '/none', 'start'];
  return spawnSync(program, flags, { encoding: 'utf8', env: { PATH: path }, cwd: '/tmp' });
}

/**
 * Another version is installed while an engine runs, which goes on with what it has begun with; the next engine is of
 * the new one.
 *
 * @param directory where the shim's bundles are
 * @param install puts the files of this version there
 */
export async function outlivesUpgrade(t: Test, program: string, directory: string, install: () => void) {
  const box = sandbox(t);
  const client = await ShimClient.start(t, box, withoutCheckout(program));
  const start = async (args: string[]) => {
    const id = box.newId();
    const { directory } = box.bundle((spec) => {
      spec.process.args = args;
    });
    await client.create(id, directory);
    await client.ask('Start', id);
    return id;
  };
  const old = await start(['sleep', '1000']);
  for (const name of readdirSync(directory).filter((each) => /\.[cm]js$/.test(each))) {
    writeFileSync(join(directory, 'new'), "throw new Error('another version');\n");
    renameSync(join(directory, 'new'), join(directory, name));
  }
  // For so many it makes more threads.
  const ids = await Promise.all(Array.from({ length: 8 }, () => start(['sh', '-c', 'exit 3'])));
  for (const id of ids) t.equal((await client.ask('Wait', id)).exit_status, 3);
  for (const id of ids) await client.ask('Delete', id);

  install();
  await client.killEngine();
  await client.kill(old, 9);
  t.equal((await client.ask('Wait', old)).exit_status, 137);
  await client.ask('Delete', old);
}
