/** The leak check that ends every integration test: it must find the sandbox's leaks, and nothing of others. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { cgroup2Mount, isAlive, parseMountInfo, requires, start, waitFor } from '../../harness/index.ts';
import { removeLeaks } from '../../harness/leaks.ts';

const skip = requires({ root: true });
const cgroup = `/tsrun-test-${process.pid}-leaks`;
const directory = mkdtempSync(join(tmpdir(), 'tsrun-test-leaks-'));
t.teardown(() => rmSync(directory, { recursive: true, force: true }));

t.test('with nothing left it finds nothing', async (t) => {
  t.same(await removeLeaks(directory, cgroup), []);
});

t.test('it finds and ends a process that works in the directory, and no other', async (t) => {
  const inside = start('/bin/sleep', ['1000'], { cwd: directory });
  const outside = start('/bin/sleep', ['1000'], { cwd: '/' });
  // Node continues in the middle of the child's execve, before the child has a command line.
  await waitFor('sleep', () => readFileSync(`/proc/${inside.pid}/cmdline`, 'utf8') || undefined);
  t.same(await removeLeaks(directory, cgroup), [`process ${inside.pid}: /bin/sleep 1000`]);
  t.equal((await inside.done).signal, 'SIGKILL');
  t.ok(isAlive(outside.pid));
  outside.child.kill();
});

t.test('it finds and removes a mount below the directory', { skip }, async (t) => {
  const place = join(directory, 'with a blank');
  mkdirSync(place);
  execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', place]);
  t.same(await removeLeaks(directory, cgroup), [`mount ${place}`]);
  const mounts = parseMountInfo(readFileSync('/proc/self/mountinfo', 'utf8'));
  t.notOk(mounts.some(({ mountPoint }) => mountPoint === place));
});

t.test(
  'it finds and removes a cgroup with a process in it',
  { skip: skip || requires({ cgroup2: true }) },
  async (t) => {
    const path = join(cgroup2Mount() ?? '', cgroup, 'container');
    mkdirSync(path, { recursive: true });
    const script = 'echo $$ >"$1/cgroup.procs" && echo in && exec sleep 1000';
    const { pid, child } = start('/bin/sh', ['-c', script, 'sh', path]);
    await new Promise((resolve) => child.stdout?.once('data', resolve));
    const leaks = await removeLeaks(directory, cgroup);
    t.match(leaks, [new RegExp(`^process ${pid}: `), `cgroup ${path}`]);
    t.notOk(existsSync(join(path, '..')));
  },
);
