/** containerd 1.7 and 2 driven by ctr. */
import { mkdirSync } from 'node:fs';
import t, { type Test } from 'tap';
import { suites } from '../vm/image.ts';
import { Containerd, heard } from './containerd.ts';
import { engineTrees, type Suite } from './engine-tree.ts';

const skip = engineTrees();

for (const suite of suites) {
  t.test(`containerd of ${suite}`, { skip }, async (t) => {
    await t.test('run in the foreground', (t) => runsInForeground(t, suite));
    await t.test('the life of a detached task', (t) => detachedTask(t, suite));
    await t.test('containers of a pod share namespaces', (t) => sharedNamespaces(t, suite));
    await t.test('recursive read-only mounts', (t) => recursiveReadOnly(t, suite));
    await t.test('50 containers at once', (t) => manyAtOnce(t, suite));
  });
}

async function runsInForeground(t: Test, suite: Suite) {
  const containerd = await Containerd.start(t, suite);
  const hello = await heard(['stdout'], () => containerd.run([], 'hello', 'echo', 'hello'));
  t.match(hello, { code: 0, stdout: 'hello\n' });
  t.equal((await containerd.run([], 'seven', 'sh', '-c', 'exit 7')).code, 7, 'the exit code is the program’s');

  const missing = await containerd.run([], 'missing', 'no-such-program');
  t.match(missing.stderr, /OCI runtime create failed: .*executable file .*not found in \$PATH/);
  const data = await containerd.run([], 'data', '/etc/not-executable');
  t.match(data.stderr, /OCI runtime create failed: .*(permission denied|not permitted)/i);
  const readOnly = await heard(['stderr'], () => containerd.run(['--read-only'], 'read-only', 'touch', '/x'));
  t.match(readOnly.stderr, /Read-only file system/);

  const flags = ['--env', 'A=b', '--cwd', '/tmp', '--user', '1000:1000', '--hostname', 'box'];
  const look = 'echo $A; pwd; id -u; id -g; hostname';
  const seen = await heard(['stdout'], () => containerd.run(flags, 'flags', 'sh', '-c', look));
  t.equal(seen.stdout, 'b\n/tmp\n1000\n1000\nbox\n');
  const onTerminal = containerd.runArguments(['--rm', '--tty'], 'terminal', 'tty');
  const terminal = await heard(['stdout'], () => containerd.ctrOnTerminal(...onTerminal));
  t.match(terminal.stdout, /\/dev\/pts\/0/);
  t.equal(await containerd.outputOf('task', 'ls', '--quiet'), '', 'no task is left');
}

async function detachedTask(t: Test, suite: Suite) {
  const containerd = await Containerd.start(t, suite);
  const task = (...args: string[]) => containerd.ctr('task', ...args);
  await containerd.detach([], 'box', 'sh', '-c', 'trap "exit 5" TERM; : >/ready; while :; do sleep 0.1; done');
  t.equal(await containerd.status('box'), 'RUNNING');
  const ready = ['sh', '-c', 'until [ -e /ready ]; do sleep 0.1; done'];
  t.equal((await task('exec', '--exec-id', 'zero', 'box', ...ready)).code, 0);

  const exec = await heard(['stdout'], () =>
    task('exec', '--exec-id', 'one', 'box', 'sh', '-c', 'cat /proc/1/comm; exit 3'),
  );
  t.match(exec, { code: 3, stdout: 'sh\n' });
  const missing = await task('exec', '--exec-id', 'two', 'box', 'no-such-program');
  t.match(missing.stderr, /OCI runtime exec failed: .*executable file .*not found in \$PATH/);
  const terminal = await heard(['stdout'], () =>
    containerd.ctrOnTerminal('task', 'exec', '--tty', '--exec-id', 'three', 'box', 'tty'),
  );
  t.match(terminal.stdout, /\/dev\/pts\/0/);
  t.match((await task('ps', 'box')).stdout, new RegExp(`^PID\\s+INFO\n${await containerd.pid('box')}\\s`));
  t.match(await task('metrics', '--format', 'json', 'box'), { code: 0, stdout: /"pids"/ });

  t.equal((await task('pause', 'box')).code, 0);
  t.equal(await containerd.status('box'), 'PAUSED');
  t.match((await task('exec', '--exec-id', 'four', 'box', 'true')).stderr, /paused/);
  t.equal((await task('resume', 'box')).code, 0);
  t.equal(await containerd.status('box'), 'RUNNING');
  t.match((await task('delete', 'box')).stderr, /must be stopped before deletion/);

  t.equal((await task('kill', '--signal', 'TERM', 'box')).code, 0);
  await containerd.waitForStatus('box', 'STOPPED');
  t.match((await task('kill', 'box')).stderr, /process already finished/);
  t.match((await task('delete', 'box')).stderr, /non-zero exit code 5/, 'delete reports how the task ended');
  t.equal(await containerd.status('box'), undefined);

  await containerd.outputOf('task', 'start', '--detach', 'box');
  t.equal(await containerd.status('box'), 'RUNNING', 'the container can be started again');
  await containerd.remove('box');
}

async function sharedNamespaces(t: Test, suite: Suite) {
  const containerd = await Containerd.start(t, suite);
  await containerd.detach(['--hostname', 'pod'], 'sandbox', 'sleep', '1000');
  const pid = await containerd.pid('sandbox');
  const kinds = ['pid', 'ipc', 'uts'];
  const names: Record<string, string> = { network: 'net' };
  const flags = [...kinds, 'network'].flatMap((kind) => [
    '--with-ns',
    `${kind}:/proc/${pid}/ns/${names[kind] ?? kind}`,
  ]);
  const links = ['net', ...kinds].map((kind) => `/proc/self/ns/${kind}`);
  const theirs = await containerd.place.outputOf(['readlink', ...links.map((link) => link.replace('self', pid))]);
  const script = 'for link; do readlink $link; done';
  const ours = await heard(['stdout'], () => containerd.run(flags, 'member', 'sh', '-c', script, 'sh', ...links));
  t.equal(ours.stdout, theirs);
  const seen = await heard(['stdout'], () => containerd.run(flags, 'other', 'sh', '-c', 'hostname; cat /proc/1/comm'));
  t.equal(seen.stdout, 'pod\nsleep\n', 'one process tree');
  await containerd.remove('sandbox');
}

async function recursiveReadOnly(t: Test, suite: Suite) {
  const containerd = await Containerd.start(t, suite);
  const { place } = containerd;
  const source = `${place.sandbox.directory}/source`;
  mkdirSync(`${source}/below`, { recursive: true });
  await place.outputOf(['mount', '-t', 'tmpfs', 'tmpfs', `${source}/below`]);
  const mount = (options: string) => ['--mount', `type=bind,src=${source},dst=/data,options=${options}`];
  const script = 'touch /data/x; touch /data/below/x && echo written';
  const run = (options: string, id: string) => containerd.run(mount(options), id, 'sh', '-c', script);
  const shallow = await heard(['stdout', 'stderr'], () => run('rbind:ro', 'shallow'));
  t.match(shallow, { stdout: 'written\n', stderr: /\/data\/x: Read-only/ });
  const deep = await heard(['stderr'], () => run('rbind:rro', 'deep'));
  t.match(deep, { stdout: '', stderr: /\/data\/below\/x: Read-only/ });
}

async function manyAtOnce(t: Test, suite: Suite) {
  const containerd = await Containerd.start(t, suite);
  const ids = Array.from({ length: 50 }, (_, number) => `many-${number}`);
  const results = await Promise.all(ids.map((id) => heard(['stdout'], () => containerd.run([], id, 'echo', id))));
  t.same(
    results,
    ids.map((id) => ({ code: 0, signal: null, stdout: `${id}\n`, stderr: '' })),
  );
}
