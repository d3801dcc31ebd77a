/** containerd with its stock io.containerd.runc.v2 shim, driven by ctr, and the runtime under test as its binary. */
import { mkdirSync, writeFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { type Result, requires, runtimePath, type Sandbox, sandbox, waitFor } from '../harness/index.ts';
import { EngineNamespace } from './engine-namespace.ts';
import { imageName, ociArchive } from './image.ts';

const skip = requires({ root: true, cgroup2: true, commands: ['containerd', 'ctr', 'containerd-shim-runc-v2'] });

class Containerd {
  readonly #sandbox: Sandbox;
  readonly #namespace: EngineNamespace;

  private constructor(box: Sandbox, namespace: EngineNamespace) {
    this.#sandbox = box;
    this.#namespace = namespace;
  }

  /** Starts a containerd of its own, with the busybox image in its store. */
  static async start(t: Test): Promise<Containerd> {
    const box = sandbox(t);
    const containerd = new Containerd(box, await EngineNamespace.create(t, box));
    await containerd.#startDaemon();
    const { code, stderr } = await containerd.ctr(
      'image',
      'import',
      '--snapshotter',
      'native',
      ociArchive(box.directory),
    );
    if (code !== 0) throw new Error(`image import: ${stderr}`);
    return containerd;
  }

  async #startDaemon(): Promise<void> {
    const { directory } = this.#sandbox;
    const config = `${directory}/containerd.toml`;
    for (const name of ['root', 'state']) mkdirSync(`${directory}/containerd/${name}`, { recursive: true });
    writeFileSync(
      config,
      [
        'version = 2',
        `root = "${directory}/containerd/root"`,
        `state = "${directory}/containerd/state"`,
        'disabled_plugins = ["io.containerd.grpc.v1.cri"]',
        `[grpc]\naddress = "${this.#socket}"`,
        `[ttrpc]\naddress = "${this.#socket}.ttrpc"`,
      ].join('\n'),
    );
    this.#namespace.startDaemon(this.#sandbox, ['containerd', '--config', config]);
    await waitFor('containerd to answer', async () => ((await this.ctr('version')).code === 0 ? true : undefined));
  }

  get #socket(): string {
    return `${this.#sandbox.directory}/containerd.sock`;
  }

  ctr(...args: string[]): Promise<Result> {
    return this.#namespace.run(this.#command(args));
  }

  ctrOnTerminal(...args: string[]): Promise<Result> {
    return this.#namespace.run(this.#command(args), { terminal: true });
  }

  #command(args: string[]): string[] {
    return ['ctr', '--address', this.#socket, '--namespace', 'tsrun-test', ...args];
  }

  /** `ctr run` with the flags that this machine needs: ctr asks for CPU shares, which hybrid hosts do not have in v2. */
  runArguments(flags: string[], id: string, ...args: string[]): string[] {
    const fixed = ['--snapshotter', 'native', '--cpu-shares', '0', '--cgroup', `${this.#sandbox.cgroup}/${id}`];
    return ['run', ...fixed, '--runc-binary', runtimePath, ...flags, imageName, id, ...args];
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
  t.match(missing.stderr, /OCI runtime create failed: .*exec: "no-such-program": executable file not found in \$PATH/);
  t.match((await run('data', '/etc/not-executable')).stderr, /OCI runtime create failed: .*permission denied/);

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
  t.match(missing.stderr, /OCI runtime exec failed: .*executable file not found in \$PATH/);
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
