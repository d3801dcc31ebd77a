/** podman and conmon as root, with the runtime under test in their containers.conf. */
import t, { type Test } from 'tap';
import { type Result, waitFor } from '../harness/index.ts';
import { engineRuntime } from './engine-place.ts';
import { EngineTree, engineTrees } from './engine-tree.ts';
import { rootfsArchive } from './image.ts';

const skip = engineTrees();

/** Without systemd, a journal, a network and the pids controller; ulimits that need no CAP_SYS_RESOURCE. */
const containersConf = `
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime_supports_json = ["under-test"]
runtime_supports_nocgroup = ["under-test"]
[engine.runtimes]
under-test = ["${engineRuntime}"]
[containers]
log_driver = "k8s-file"
netns = "none"
pids_limit = 0
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
`;

class Podman {
  readonly #place: EngineTree;

  private constructor(place: EngineTree) {
    this.#place = place;
  }

  /** A podman with a store of its own that has the image `busybox`. */
  static async create(t: Test): Promise<Podman> {
    const place = await EngineTree.enter(t, { suite: 'forky', parents: ['/pods/conmon', '/pods'] });
    place.writeFile('/etc/containers/containers.conf', containersConf);
    const podman = new Podman(place);
    t.teardown(() => podman.podman('rm', '--force', '--all', '--time', '0'));
    const { code, stderr } = await podman.podman('import', rootfsArchive(place.sandbox.directory), 'busybox');
    if (code !== 0) throw new Error(`podman import: ${stderr}`);
    return podman;
  }

  podman(...args: string[]): Promise<Result> {
    return this.#place.run(this.#command(args));
  }

  /** `podman run --rm`. */
  run(flags: string[], ...args: string[]): Promise<Result> {
    return this.podman(...this.runArguments(['--rm', ...flags], ...args));
  }

  runOnTerminal(flags: string[], ...args: string[]): Promise<Result> {
    const command = this.#command(this.runArguments(['--rm', '--tty', ...flags], ...args));
    return this.#place.run(command, { terminal: true });
  }

  runArguments(flags: string[], ...args: string[]): string[] {
    return ['run', '--network', 'none', '--cgroup-parent', '/pods', ...flags, 'busybox', ...args];
  }

  #command(args: string[]): string[] {
    return ['podman', '--storage-driver', 'vfs', '--runtime', 'under-test', ...args];
  }
}

t.test('podman run in the foreground', { skip }, async (t) => {
  const podman = await Podman.create(t);
  t.match(await podman.run([], 'echo', 'hello'), { code: 0, stdout: 'hello\n' });
  t.equal((await podman.run([], 'sh', '-c', 'exit 7')).code, 7);
  t.match(await podman.run([], 'no-such-program'), { code: 127, stderr: /executable file .*not found in \$PATH/ });
  t.match(await podman.run([], '/etc/not-executable'), { code: 126, stderr: /permission denied|not permitted/i });
  t.match(await podman.run(['--read-only'], 'touch', '/x'), { code: 1, stderr: /Read-only file system/ });
  t.match((await podman.runOnTerminal([], 'tty')).stdout, /\/dev\/pts\/0/);

  const flags = ['--user', '1000:1000', '--hostname', 'box', '--env', 'A=b', '--workdir', '/tmp', '--cap-drop', 'all'];
  const seen = await podman.run(flags, 'sh', '-c', 'id -u; hostname; echo $A; pwd; grep CapBnd /proc/self/status');
  t.equal(seen.stdout, '1000\nbox\nb\n/tmp\nCapBnd:\t0000000000000000\n');
});

t.test('the life of a detached container', { skip }, async (t) => {
  const podman = await Podman.create(t);
  const detached = ['--detach', '--name', 'box'];
  const script = 'trap "exit 5" TERM; echo logged; while :; do sleep 0.1; done';
  t.match(await podman.podman(...podman.runArguments(detached, 'sh', '-c', script)), { code: 0 });
  const inspect = async (what: string) =>
    (await podman.podman('inspect', '--format', `{{.State.${what}}}`, 'box')).stdout.trim();

  t.match(await podman.podman('exec', 'box', 'sh', '-c', 'echo inside; exit 3'), { code: 3, stdout: 'inside\n' });
  t.equal((await podman.podman('exec', 'box', 'no-such-program')).code, 127);
  t.equal((await podman.podman('exec', 'box', '/etc/not-executable')).code, 126);
  await waitFor('the log', async () => ((await podman.podman('logs', 'box')).stdout === 'logged\n' ? true : undefined));

  t.equal((await podman.podman('pause', 'box')).code, 0);
  t.equal(await inspect('Status'), 'paused');
  t.equal((await podman.podman('unpause', 'box')).code, 0);
  t.equal(await inspect('Status'), 'running');

  t.equal((await podman.podman('stop', 'box')).code, 0);
  t.equal(`${await inspect('Status')} ${await inspect('ExitCode')}`, 'exited 5', 'stop sends SIGTERM and waits');
  t.equal((await podman.podman('start', 'box')).code, 0, 'and it starts again');
  t.equal((await podman.podman('kill', 'box')).code, 0);
  t.match(await podman.podman('wait', 'box'), { stdout: '137\n' });
  t.equal((await podman.podman('rm', 'box')).code, 0);
  t.equal((await podman.podman('ps', '--all', '--quiet')).stdout, '');
});

t.test('--cgroups=disabled leaves the container in podman’s own cgroup', { skip }, async (t) => {
  const podman = await Podman.create(t);
  const flags = ['run', '--rm', '--network', 'none', '--cgroups', 'disabled', '--cgroupns', 'host', 'busybox'];
  const { code, stdout, stderr } = await podman.podman(...flags, 'cat', '/proc/self/cgroup');
  t.equal(code, 0, stderr);
  t.notMatch(stdout, /libpod|pods/);
  t.match(stdout, /^0::\//m);
});
