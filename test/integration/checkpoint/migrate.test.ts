/**
 * A container moves from one machine to another while a client on a third one talks to it. The machines are mount, pid,
 * uts and network namespaces with no files in common: what one has the other only gets as an archive. A bridge joins
 * them, and the address moves with the container, as networks of engines do it.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { Checkpoints } from '../../harness/checkpointed.ts';
import { criuForTests } from '../../harness/criu.ts';
import {
  addCHelper,
  type Bundle,
  cHelper,
  type Running,
  requires,
  runtimePath,
  sandbox,
  waitFor,
} from '../../harness/index.ts';

t.setTimeout(30 * 60 * 1000);
const criu = await criuForTests();
const skip = requires({ runtime: 'tsrun', commands: ['ip', 'nsenter', 'unshare', 'tar'] }) || criu.skip;

const address = '10.9.0.100';
const port = '7000';

/** A machine; everything of its own is below `directory`, which is a tmpfs that no other has. */
class Machine {
  readonly directory: string;
  readonly #at: Checkpoints;
  readonly #holder: Running;
  readonly pid: number;
  readonly #name: string;

  private constructor(at: Checkpoints, name: string, directory: string, holder: Running, pid: number) {
    this.#at = at;
    this.#name = name;
    this.directory = directory;
    this.#holder = holder;
    this.pid = pid;
  }

  static async start(at: Checkpoints, name: string): Promise<Machine> {
    const directory = join(at.box.directory, 'machine');
    const script = `mkdir -p ${directory}; mount -t tmpfs tmpfs ${directory}; hostname ${name}; ip link set lo up; touch ${directory}/pod
      unshare --net=${directory}/pod ip link set lo up; echo ready; exec sleep 100000`;
    const namespaces = ['--mount', '--pid', '--uts', '--net', '--fork', '--kill-child', '--mount-proc'];
    const holder = at.box.startProgram('unshare', [...namespaces, 'sh', '-c', script]);
    await waitFor(`the machine ${name}`, () => holder.output.stdout || undefined);
    const pid = Number(readFileSync(`/proc/${holder.pid}/task/${holder.pid}/children`, 'utf8'));
    return new Machine(at, name, directory, holder, pid);
  }

  /** The namespace of the network that the container has here, as a path on the host. */
  get pod(): string {
    return `/proc/${this.pid}/root${this.directory}/pod`;
  }

  entering(...command: string[]): string[] {
    return ['nsenter', '--target', String(this.pid), '--mount', '--pid', '--uts', '--net', '--', ...command];
  }

  /** Runs the runtime, with containers of this machine's own. */
  async runtime(...args: string[]): Promise<string> {
    const output = join(this.#at.box.directory, `${this.#name}-${args[0]}`);
    const [program = '', ...line] = this.entering(runtimePath, '--root', `${this.directory}/state`, ...args);
    const { code, stdout, stderr } = await this.#at.box.startProgram(program, line, {
      env: this.#at.env,
      outputFiles: output,
    }).done;
    if (code !== 0) throw new Error(`${this.#name}: ${args.join(' ')}: ${stderr}`);
    return stdout;
  }

  async end(): Promise<void> {
    process.kill(this.pid, 'SIGKILL');
    await this.#holder.done;
  }
}

t.test('a client keeps its connection to a container that moves to another machine', { skip }, async (t) => {
  const at = new Checkpoints(sandbox(t), criu);
  const sh = async (script: string) => {
    const { code, stdout, stderr } = await at.box.startProgram('sh', ['-ec', script], { env: at.env }).done;
    if (code !== 0) throw new Error(`${script}: ${stderr}`);
    return stdout;
  };
  const [from, to] = [await Machine.start(at, 'from'), await Machine.start(at, 'to')];
  const client = await Machine.start(at, 'client');
  const inClient = (script: string) => sh(client.entering('sh', '-ec', `'${script}'`).join(' '));
  await inClient('ip link add br0 type bridge; ip addr add 10.9.0.1/24 dev br0; ip link set br0 up');
  for (const [machine, wire] of [
    [from, 'wire1'],
    [to, 'wire2'],
  ] as const) {
    const ends = `ip link add ${wire} netns /proc/${client.pid}/ns/net type veth peer name eth0 netns ${machine.pod}`;
    const own = `ip addr add ${address}/24 dev eth0; ip link set eth0 address 02:00:00:00:00:64 up`;
    await sh(`${ends}; nsenter --net=${machine.pod} sh -ec "${own}"`);
    await inClient(`ip link set ${wire} up`);
  }

  const bundle: Bundle = at.box.bundle((spec) => {
    spec.process.args = ['/bin/talk', 'serve', port];
    spec.linux.namespaces = spec.linux.namespaces.filter(({ type }) => type !== 'network');
    spec.linux.namespaces.push({ type: 'network', path: join(from.directory, 'pod') });
  });
  addCHelper(bundle, 'talk');
  const [bundleThere, images] = [join(from.directory, 'bundle'), join(from.directory, 'images')];
  const unpack = `sh -c 'mkdir "$1" && tar -C "$1" -xf -' sh`;
  await sh(`tar -C ${bundle.directory} -c . | ${from.entering().join(' ')} ${unpack} ${bundleThere}`);
  const move = (directory: string) =>
    sh(`${from.entering().join(' ')} tar -C ${directory} -c . | ${to.entering().join(' ')} ${unpack} ${directory}`);
  const flags = ['--tcp-established', '--network-lock', 'nftables', '--image-path', images];
  await from.runtime('create', '--bundle', bundleThere, 'served');
  await from.runtime('start', 'served');
  await inClient('ip link set wire1 master br0');

  const [program = '', ...line] = client.entering(cHelper('talk'), 'ask', address, port);
  const talking = at.box.startProgram(program, line);
  const answers = (more: number) => {
    const count = () => talking.output.stdout.trim().split('\n').length;
    const before = count();
    return waitFor('answers', () => {
      if (talking.output.stderr !== '') throw new Error(`the client: ${talking.output.stderr}`);
      return count() >= before + more ? count() : undefined;
    });
  };
  await answers(10);

  await from.runtime('checkpoint', ...flags, 'served');
  t.equal(await from.runtime('list', '--quiet'), '', 'it is gone from the first machine');
  await inClient('ip link set wire1 nomaster');
  for (const directory of [bundleThere, images]) await move(directory);
  await to.runtime('restore', '--detach', ...flags, '--bundle', bundleThere, 'served');
  await inClient('ip link set wire2 master br0');
  await answers(10);
  t.equal(talking.output.stderr, '', 'no answer is missing, and none comes twice');
  t.equal(talking.child.exitCode, null);
  await to.runtime('delete', '--force', 'served');
  talking.child.kill();
  await talking.done;
  for (const machine of [from, to, client]) await machine.end();
});
