/** containerd with its stock io.containerd.runc.v2 shim, driven by ctr, and the runtime under test as its binary. */
import t, { type Test } from 'tap';
import { type Result, waitFor } from '../harness/index.ts';
import { engineRuntime } from './engine-place.ts';
import { EngineTree, engineTrees } from './engine-tree.ts';
import { imageName, ociArchive } from './image.ts';

const skip = engineTrees();

class Containerd {
  readonly #place: EngineTree;

  private constructor(place: EngineTree) {
    this.#place = place;
  }

  /** Starts a containerd of its own, with the busybox image in its store. */
  static async start(t: Test): Promise<Containerd> {
    const place = await EngineTree.enter(t, { suite: 'forky' });
    const containerd = new Containerd(place);
    place.startDaemon(['containerd']);
    await waitFor('containerd to answer', async () =>
      (await containerd.ctr('version')).code === 0 ? true : undefined,
    );
    const archive = ociArchive(place.sandbox.directory);
    const { code, stderr } = await containerd.ctr('image', 'import', archive);
    if (code !== 0) throw new Error(`image import: ${stderr}`);
    return containerd;
  }

  ctr(...args: string[]): Promise<Result> {
    return this.#place.run(this.#command(args));
  }

  ctrOnTerminal(...args: string[]): Promise<Result> {
    return this.#place.run(this.#command(args), { terminal: true });
  }

  #command(args: string[]): string[] {
    return ['ctr', '--namespace', 'tsrun-test', ...args];
  }

  /** `ctr run` with the flags that this machine needs: ctr asks for CPU shares, which hybrid hosts do not have in v2. */
  runArguments(flags: string[], id: string, ...args: string[]): string[] {
    const fixed = ['--cpu-shares', '0', '--cgroup', `/${id}`];
    return ['run', ...fixed, '--runc-binary', engineRuntime, ...flags, imageName, id, ...args];
  }

  /** What `ctr task ls` says of a task, such as RUNNING; nothing when there is no such task. */
  async status(id: string): Promise<string | undefined> {
    const { stdout } = await this.ctr('task', 'ls');
    const line = stdout.split('\n').find((text) => text.split(/\s+/)[0] === id);
    return line?.split(/\s+/)[2];
  }
}

t.test('ctr run in the foreground', { skip }, async (t) => {
  const containerd = await Containerd.start(t);
  const run = (id: string, ...args: string[]) => containerd.ctr(...containerd.runArguments(['--rm'], id, ...args));

  const hello = await run('hello', 'echo', 'hello');
  t.match(hello, { code: 0, stdout: 'hello\n' });
  t.equal((await run('seven', 'sh', '-c', 'exit 7')).code, 7, 'the exit code is the program’s');

  const missing = await run('missing', 'no-such-program');
  t.match(missing.stderr, /OCI runtime create failed: .*executable file .*not found in \$PATH/);
  t.match(
    (await run('data', '/etc/not-executable')).stderr,
    /OCI runtime create failed: .*(permission denied|not permitted)/i,
  );

  const readOnly = await containerd.ctr(
    ...containerd.runArguments(['--rm', '--read-only'], 'read-only', 'touch', '/x'),
  );
  t.match(readOnly.stderr, /Read-only file system/);
  const terminal = await containerd.ctrOnTerminal(...containerd.runArguments(['--rm', '--tty'], 'terminal', 'tty'));
  t.match(terminal.stdout, /\/dev\/pts\/0/);
  t.equal((await containerd.ctr('task', 'ls', '--quiet')).stdout, '', 'no task is left');
});

t.test('the life of a detached task', { skip }, async (t) => {
  const containerd = await Containerd.start(t);
  const task = (...args: string[]) => containerd.ctr('task', ...args);
  t.match(await containerd.ctr(...containerd.runArguments(['--detach'], 'box', 'sleep', '1000')), { code: 0 });
  t.equal(await containerd.status('box'), 'RUNNING');

  const exec = await task('exec', '--exec-id', 'one', 'box', 'sh', '-c', 'cat /proc/1/cmdline; exit 3');
  t.match(exec, { code: 3, stdout: 'sleep\u00001000\u0000' });
  const missing = await task('exec', '--exec-id', 'two', 'box', 'no-such-program');
  t.match(missing.stderr, /OCI runtime exec failed: .*executable file .*not found in \$PATH/);
  const terminal = await containerd.ctrOnTerminal('task', 'exec', '--tty', '--exec-id', 'three', 'box', 'tty');
  t.match(terminal.stdout, /\/dev\/pts\/0/);
  t.match((await task('ps', 'box')).stdout, /^PID\s+INFO\n\d+\s/, 'ps lists the one process');

  t.equal((await task('pause', 'box')).code, 0);
  t.equal(await containerd.status('box'), 'PAUSED');
  t.equal((await task('resume', 'box')).code, 0);
  t.equal(await containerd.status('box'), 'RUNNING');

  t.equal((await task('kill', '--signal', 'KILL', 'box')).code, 0);
  await waitFor('the task to stop', async () => ((await containerd.status('box')) === 'STOPPED' ? true : undefined));
  t.match((await task('delete', 'box')).stderr, /non-zero exit code 137/, 'delete reports how the task ended');
  t.equal(await containerd.status('box'), undefined);
});

t.test('containers that start at the same time', { skip }, async (t) => {
  const containerd = await Containerd.start(t);
  const ids = Array.from({ length: 8 }, (_, number) => `many-${number}`);
  const results = await Promise.all(
    ids.map((id) => containerd.ctr(...containerd.runArguments(['--rm'], id, 'echo', id))),
  );
  t.same(
    results.map(({ stdout }) => stdout.trim()),
    ids,
  );
});
