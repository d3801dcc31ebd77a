/**
 * The exact command lines of a buildkitd with an OCI worker, which Debian lacks. dockerd's BuildKit, which
 * dockerd-build.test.ts drives, has the same executor, but never runs `exec` and does not keep containers.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type Running, requires, type Sandbox, sandbox, waitFor } from '../harness/index.ts';

const skip = requires({ root: true, cgroup2: true });

/** go-runc's global flags, as BuildKit sets them. */
const globals = (box: Sandbox) => ['--log', logOf(box), '--log-format', 'json'];
const logOf = (box: Sandbox) => join(box.directory, 'runc-log.json');

t.test('what buildkitd runs', { skip }, async (t) => {
  await t.test('a step', step);
  await t.test('a second process of a step', second);
  await t.test('a step that is cancelled', cancelled);
  await t.test('a step whose program is missing', missing);
});

/** `run` in the foreground: it ends with the container's init, and `--keep` leaves the rest to `delete`. */
function startStep(box: Sandbox, args: string[]): { id: string; running: Running } {
  const bundle = box.bundle((spec) => {
    spec.process.args = args;
  });
  const id = box.newId();
  const running = box.startRuntime([...globals(box), 'run', '--bundle', bundle.directory, '--keep', id]);
  return { id, running };
}

/** BuildKit asks each tenth of a second. */
const isRunning = (box: Sandbox, id: string) =>
  waitFor(`${id} to run`, async () => {
    const { code, stdout } = await box.runtime([...globals(box), 'state', id]);
    return (code === 0 && JSON.parse(stdout).status === 'running') || undefined;
  });

async function step(t: Test) {
  const box = sandbox(t);
  const { id, running } = startStep(box, ['/bin/sh', '-c', 'echo out; echo error >&2; exit 9']);
  t.match(await running.done, { code: 9, stdout: 'out\n', stderr: 'error\n' });
  t.match(await box.runtime([...globals(box), 'delete', id]), { code: 0, stdout: '', stderr: '' });
  t.not((await box.runtime([...globals(box), 'state', id])).code, 0);
}

async function second(t: Test) {
  const box = sandbox(t);
  const { id, running } = startStep(box, ['/bin/sleep', '1000']);
  await isRunning(box, id);
  const file = join(box.directory, 'process.json');
  const pidFile = join(box.directory, 'exec.pid');
  const args = ['/bin/sh', '-c', 'cat /proc/1/comm; pwd; exit 5'];
  const user = { uid: 0, gid: 0 };
  writeFileSync(file, JSON.stringify({ args, cwd: '/tmp', env: ['PATH=/bin'], user, terminal: false }));
  const exec = await box.runtime([...globals(box), 'exec', '--process', file, '--pid-file', pidFile, id]);
  t.match(exec, { code: 5, stdout: 'sleep\n/tmp\n', stderr: '' });
  t.match(readFileSync(pidFile, 'utf8'), /^\d+$/);
  await box.runtimeOk([...globals(box), 'kill', id, '9']);
  t.equal((await running.done).code, 137);
  await box.runtimeOk([...globals(box), 'delete', id]);
}

async function cancelled(t: Test) {
  const box = sandbox(t);
  const { id, running } = startStep(box, ['/bin/sh', '-c', 'trap "" TERM INT; while :; do sleep 1; done']);
  await isRunning(box, id);
  t.match(await box.runtime([...globals(box), 'kill', id, '9']), { code: 0, stdout: '', stderr: '' });
  t.equal((await running.done).code, 137);
  t.match(await box.runtime([...globals(box), 'delete', id]), { code: 0, stdout: '', stderr: '' });
}

async function missing(t: Test) {
  const box = sandbox(t);
  const { id, running } = startStep(box, ['no-such-program']);
  const { code, stderr } = await running.done;
  t.not(code, 0);
  t.match(stderr, /executable file .*not found in \$PATH/, 'BuildKit shows this to the user');
  t.match(readFileSync(logOf(box), 'utf8'), /"level":"error"/);
  await box.runtime([...globals(box), 'delete', id]);
  t.not((await box.runtime([...globals(box), 'state', id])).code, 0, 'nothing is kept of it');
}
