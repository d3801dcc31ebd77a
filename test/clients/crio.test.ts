/**
 * CRI-O, which Debian lacks: its monitor conmon, which Debian has, started as CRI-O does, and the commands that CRI-O
 * runs itself according to its sources (internal/oci/runtime_oci.go, internal/config/…).
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { busyboxRootfs, defaultSpec, type Result, runtimeName, waitFor } from '../harness/index.ts';
import { engineRuntime } from './engine-place.ts';
import { EngineTree, engineTrees } from './engine-tree.ts';

const skip = engineTrees();
const root = '/run/crio-runtime';

class Crio {
  readonly place: EngineTree;
  readonly #directory: string;

  private constructor(place: EngineTree) {
    this.place = place;
    this.#directory = place.sandbox.directory;
  }

  static async create(t: Test): Promise<Crio> {
    const crio = new Crio(await EngineTree.enter(t, { suite: 'forky' }));
    for (const name of ['exits', 'persist', 'sockets']) mkdirSync(join(crio.#directory, name));
    return crio;
  }

  #path(...names: string[]): string {
    return join(this.#directory, ...names);
  }

  /** The runtime as runtimeCmd runs it: with an empty environment. */
  runtime(...args: string[]): Promise<Result> {
    return this.place.run(['env', '-i', engineRuntime, `--root=${root}`, ...args]);
  }

  bundle(id: string, script: string): void {
    const spec = defaultSpec();
    busyboxRootfs(this.#path(`rootfs-${id}`));
    spec.root.path = this.#path(`rootfs-${id}`);
    spec.process.args = ['/bin/sh', '-c', script];
    spec.linux.cgroupsPath = `/crio-${id}`;
    if (runtimeName === 'crun') spec.ociVersion = '1.0.2';
    delete spec.linux.resources?.devices;
    mkdirSync(this.#path(id));
    writeFileSync(this.#path(id, 'config.json'), JSON.stringify(spec));
  }

  /** createContainer: conmon makes the container; returns its answer on the sync pipe. */
  async create(id: string, ...flags: string[]): Promise<{ pid: number; message?: string }> {
    const words = [
      ...['-b', this.#path(id), '-c', id, '--exit-dir', this.#path('exits'), '-l', this.#path(id, 'log')],
      ...['--log-level', 'info', '-n', `k8s_${id}`, '-P', this.#path(id, 'conmon-pidfile')],
      ...['-p', this.#path(id, 'pidfile'), '--persist-dir', this.#path('persist'), '-r', engineRuntime],
      ...['--runtime-arg', `--root=${root}`, '--socket-dir-path', this.#path('sockets'), '--syslog', '-u', id],
    ];
    return JSON.parse((await this.#conmon([...words, ...flags])).sync);
  }

  /** ExecSyncContainer: conmon runs `exec` and writes the exit code to its pipe. */
  async execSync(id: string, ...args: string[]): Promise<{ code: number; log: string; message: string }> {
    const { env, cwd, user } = defaultSpec().process;
    writeFileSync(this.#path('process.json'), JSON.stringify({ env, cwd, user, args, terminal: false }));
    const log = this.#path('exec.log');
    const words = [
      ...['-c', id, '-n', `k8s_${id}`, '-r', engineRuntime, '-p', this.#path('exec-pidfile'), '-e', '-l', log],
      ...['--socket-dir-path', this.#path('sockets'), '--log-level', 'info', '--sync', '-T', '200'],
      ...['--exec-process-spec', this.#path('process.json'), '--runtime-arg', `--root=${root}`],
    ];
    const { sync } = await this.#conmon(words);
    const { exit_code: code, message = '' } = JSON.parse(sync.split('\n').filter(Boolean).at(-1) ?? '{}');
    return { code, message, log: this.place.readFile(log) };
  }

  /** ExecContainer: the runtime itself, with streams. */
  exec(id: string, ...args: string[]): Promise<Result> {
    const { env, cwd, user } = defaultSpec().process;
    writeFileSync(this.#path('process.json'), JSON.stringify({ env, cwd, user, args, terminal: false }));
    return this.runtime('exec', '--process', this.#path('process.json'), id);
  }

  async state(id: string): Promise<{ status: string; pid: number }> {
    return JSON.parse((await this.runtime('state', id)).stdout);
  }

  /** What conmon writes when the container ends. */
  exitCode(id: string): Promise<string> {
    return waitFor('the exit file', () => {
      try {
        return this.place.readFile(this.#path('exits', id));
      } catch {
        return undefined;
      }
    });
  }

  log(id: string): string {
    return this.place.readFile(this.#path(id, 'log'));
  }

  update(id: string, resources: object): Promise<Result> {
    // Through a pipe, as from CRI-O; node's would be a socket, which crun cannot open as /dev/stdin.
    const feed = ['sh', '-c', 'echo "$0" | env -i "$@"', JSON.stringify(resources)];
    return this.place.run([...feed, engineRuntime, '--root', root, 'update', '--resources', '-', id]);
  }

  /** Descriptor 3 is the sync pipe, and 4 gets the order to start; files will do for both. */
  async #conmon(words: string[]): Promise<{ sync: string }> {
    const sync = this.#path('sync');
    writeFileSync(this.#path('start'), '\0');
    const script = `exec 3>'${sync}' 4<'${this.#path('start')}'; exec "$@"`;
    const env = { _OCI_SYNCPIPE: '3', _OCI_STARTPIPE: '4' };
    await this.place.run(['sh', '-c', script, 'crio', 'conmon', ...words], { env });
    return { sync: await waitFor('conmon to report', () => this.place.readFile(sync) || undefined) };
  }
}

t.test('what CRI-O asks of a runtime before it uses it', { skip }, async (t) => {
  const crio = await Crio.create(t);
  const { stdout, stderr } = await crio.place.run([engineRuntime, 'features']);
  t.equal(stderr, '', 'it reads both as one JSON document');
  const features = JSON.parse(stdout);
  t.match(features, { ociVersionMin: /^1\./, ociVersionMax: /^1\./ });
  if (runtimeName === 'tsrun') {
    t.ok(features.mountOptions.includes('rro'));
    t.equal(features.linux.mountExtensions.idmap.enabled, true);
  }
  t.match(await crio.place.run([engineRuntime, '--version']), { code: 0, stdout: /version/ });
});

t.test('the life of a container of CRI-O', { skip }, async (t) => {
  const crio = await Crio.create(t);
  crio.bundle('box', 'trap "exit 6" TERM; echo started; while :; do sleep 0.1; done');
  const { pid } = await crio.create('box');
  t.match(await crio.state('box'), { status: 'created', pid });
  t.match(await crio.runtime('start', 'box'), { code: 0, stdout: '', stderr: '' });
  t.equal((await crio.state('box')).status, 'running');
  await waitFor('the log', () => (/ stdout F started\n/.test(crio.log('box')) ? true : undefined));

  t.match(await crio.execSync('box', 'sh', '-c', 'echo out; exit 3'), { code: 3, log: / stdout F out\n/ });
  t.match(await crio.exec('box', 'sh', '-c', 'echo out; echo err >&2; exit 4'), {
    code: 4,
    stdout: 'out\n',
    stderr: 'err\n',
  });
  t.match(await crio.execSync('box', 'no-such-program'), { code: -1, message: /not found/ });
  t.match(await crio.update('box', {}), { code: 0, stdout: '', stderr: '' });
  t.equal((await crio.runtime('pause', 'box')).code, 0);
  t.equal((await crio.state('box')).status, 'paused');
  t.equal((await crio.runtime('resume', 'box')).code, 0);

  t.match(await crio.runtime('kill', 'box', '15'), { code: 0, stderr: '' });
  t.equal(await crio.exitCode('box'), '6');
  await waitFor('the end', async () => ((await crio.state('box')).status === 'stopped' ? true : undefined));
  const again = await crio.runtime('kill', 'box', 'KILL');
  t.match(again.stderr, /no such process|container not running|invalid process|is not running/i, 'ErrNotFound');
  t.match(await crio.runtime('delete', '--force', 'box'), { code: 0, stdout: '', stderr: '' });
  t.match(await crio.runtime('state', 'box'), { code: 1, stderr: /does not exist/ });
});

t.test('a container that cannot be created, and one that is killed', { skip }, async (t) => {
  const crio = await Crio.create(t);
  crio.bundle('bad', '');
  crio.place.writeFile(`${crio.place.sandbox.directory}/bad/config.json`, '{');
  const failed = await crio.create('bad');
  t.equal(failed.pid, -1);
  t.not(failed.message ?? '', '', 'it says why');

  crio.bundle('killed', 'sleep 1000');
  await crio.create('killed');
  await crio.runtime('start', 'killed');
  t.match(await crio.runtime('kill', 'killed', 'KILL'), { code: 0 });
  t.equal(await crio.exitCode('killed'), '137');
  t.match(await crio.runtime('delete', '--force', 'killed'), { code: 0 });
});
