/** A containerd of its own with its stock io.containerd.runc.v2 shim, whose binary is the runtime under test. */
import type { Test } from 'tap';
import { encode } from '../../src/protobuf/wire.ts';
import { updateRequest } from '../../src/shim/messages.ts';
import { type Result, type Running, waitFor } from '../harness/index.ts';
import { GrpcConnection } from './cri/grpc.ts';
import { type EnginePlace, engineRuntime } from './engine-place.ts';
import { EngineTree, type Suite } from './engine-tree.ts';
import { imageName, ociArchive } from './image.ts';
import { installShim, shimType } from './resident-shim.ts';

/** How often a program runs at most until its output arrives. */
const attempts = 10;

/**
 * Runs a program until all of these streams have output. ctr gives up streams that are not open yet when the task has
 * already ended (containerd, client/task.go: Delete cancels the opening of the task's streams), so on a busy machine
 * the output of a short program is lost, with any runtime. A message of ctr itself on a terminal, about a task that
 * ended before it got the terminal's size, does not count as the program's output.
 */
export async function heard(streams: ('stdout' | 'stderr')[], run: () => Promise<Result>): Promise<Result> {
  let result = await run();
  for (let attempt = 2; attempt <= attempts && streams.some((name) => isSilent(result[name])); attempt++)
    result = await run();
  return result;
}

function isSilent(output: string): boolean {
  return output.replace(/^.*ERRO.*resize pty.*$/gm, '').trim() === '';
}

export class Containerd {
  readonly place: EnginePlace;
  readonly #namespace: string;
  /** Of `ctr run`. */
  readonly #runtime: readonly string[];
  #daemon: Running | undefined;

  private constructor(place: EnginePlace, namespace: string, runtime: readonly string[]) {
    this.place = place;
    this.#namespace = namespace;
    this.#runtime = runtime;
  }

  /** Starts one of the suite's version, with the busybox image in its store. */
  static async start(t: Test, suite: Suite): Promise<Containerd> {
    const containerd = await Containerd.startIn(await EngineTree.enter(t, { suite }), 'tsrun-test');
    await containerd.outputOf('image', 'import', ociArchive(containerd.place.sandbox.directory));
    return containerd;
  }

  /**
   * @param namespace containerd's own: images and containers of one are invisible in another
   * @param shim whether containers are the resident shim's, in place of containerd's own
   */
  static async startIn(place: EnginePlace, namespace: string, { shim = false } = {}): Promise<Containerd> {
    if (shim) installShim(place);
    const runtime = shim ? ['--runtime', shimType] : ['--runc-binary', engineRuntime];
    const containerd = new Containerd(place, namespace, runtime);
    await containerd.startDaemon();
    return containerd;
  }

  async startDaemon(): Promise<void> {
    const daemon = this.place.startDaemon(['containerd']);
    this.#daemon = daemon;
    await waitFor('containerd to answer', async () => {
      if (daemon.child.exitCode !== null) throw new Error(`containerd: ${daemon.output.stderr}`);
      return (await this.ctr('version')).code === 0 ? true : undefined;
    });
  }

  /** Ends it with SIGKILL; its shims and containers stay. */
  async killDaemon(): Promise<void> {
    await this.place.outputOf(['pkill', '-KILL', '-x', 'containerd']);
    await this.#daemon?.done;
  }

  ctr(...args: string[]): Promise<Result> {
    return this.place.run(this.#command(args));
  }

  ctrOnTerminal(...args: string[]): Promise<Result> {
    return this.place.run(this.#command(args), { terminal: true });
  }

  /** Runs ctr, which must succeed. */
  outputOf(...args: string[]): Promise<string> {
    return this.place.outputOf(this.#command(args));
  }

  #command(args: string[]): string[] {
    return ['ctr', '--namespace', this.#namespace, ...args];
  }

  /**
   * Changes a task's limits, as Go clients do.
   * @param resources of the spec
   */
  async updateTask(id: string, resources: object): Promise<void> {
    const connection = new GrpcConnection(this.place.pathOutside('/run/containerd/containerd.sock'));
    const value = Buffer.from(JSON.stringify(resources));
    const type_url = 'types.containerd.io/opencontainers/runtime-spec/1/LinuxResources';
    const request = encode(updateRequest, { id, resources: { type_url, value } });
    try {
      const metadata = { 'containerd-namespace': this.#namespace };
      await connection.call('containerd.services.tasks.v1.Tasks/Update', request, metadata);
    } finally {
      connection.close();
    }
  }

  /** Starts `ctr events` and returns once it listens: it never hears what was published before. */
  async watchEvents(): Promise<Running> {
    const events = this.place.startDaemon(this.#command(['events']));
    let count = 0;
    await waitFor('ctr events to listen', async () => {
      await this.outputOf('namespaces', 'label', this.#namespace, `count=${++count}`);
      return events.output.stdout.includes('/namespaces/update') || undefined;
    });
    return events;
  }

  /** `ctr run` with the flags that this machine needs: ctr asks for CPU shares, which hybrid hosts do not have in v2. */
  runArguments(flags: string[], id: string, ...args: string[]): string[] {
    const fixed = ['--cpu-shares', '0', '--cgroup', `/${id}`, ...this.#runtime];
    return ['run', ...fixed, ...flags, imageName, id, ...args];
  }

  /** `ctr run --rm` to its end. */
  run(flags: string[], id: string, ...args: string[]): Promise<Result> {
    return this.ctr(...this.runArguments(['--rm', ...flags], id, ...args));
  }

  /** Starts a task and leaves it running until `remove`. */
  async detach(flags: string[], id: string, ...args: string[]): Promise<void> {
    await this.outputOf(...this.runArguments(['--detach', ...flags], id, ...args));
  }

  /** Ends a detached task and removes it and its container. */
  async remove(id: string): Promise<void> {
    await this.outputOf('task', 'kill', '--signal', 'KILL', id);
    await this.waitForStatus(id, 'STOPPED');
    // This exits with the task's code.
    await this.ctr('task', 'delete', id);
    await this.outputOf('container', 'delete', id);
  }

  /** The status that `ctr task ls` prints for a task, such as RUNNING; undefined if there is none. */
  async status(id: string): Promise<string | undefined> {
    return (await this.#task(id))?.[2];
  }

  /** The pid as seen in the place. */
  async pid(id: string): Promise<string> {
    return (await this.#task(id))?.[1] ?? 'none';
  }

  waitForStatus(id: string, status: string): Promise<true> {
    return waitFor(`${id} to be ${status}`, async () => ((await this.status(id)) === status ? true : undefined));
  }

  async #task(id: string): Promise<string[] | undefined> {
    const lines = (await this.outputOf('task', 'ls')).split('\n').map((line) => line.split(/\s+/));
    return lines.find(([name]) => name === id);
  }
}
