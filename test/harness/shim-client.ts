/** Asks the resident shim as containerd does, without a containerd: a test sees each answer and each event. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import type { Test } from 'tap';
import { decode, encode, type Message, type MessageType } from '../../src/protobuf/wire.ts';
import * as messages from '../../src/shim/messages.ts';
import * as pods from '../../src/shim/pod/messages.ts';
import { FrameReader, frame } from '../../src/shim/ttrpc.ts';
import { repoRoot } from './host.ts';
import { waitFor } from './process.ts';
import type { Sandbox } from './sandbox.ts';

export const ofCheckout = [join(repoRoot, 'bin/containerd-shim-tsrun-v2')];
/** The last part of the sandbox's root, so that its containers are seen there. */
const namespace = 'state';
const sandboxService = 'containerd.runtime.sandbox.v1.Sandbox';

const results: Readonly<Record<string, MessageType>> = {
  Create: messages.pidResponse,
  Start: messages.pidResponse,
  State: messages.stateResponse,
  Wait: messages.waitResponse,
  Delete: messages.deleteResponse,
  Connect: messages.connectResponse,
  StartSandbox: pods.startSandboxResponse,
  SandboxStatus: pods.sandboxStatusResponse,
  WaitSandbox: messages.waitResponse,
};

export interface Answer {
  readonly pid: number;
  readonly exit_status: number;
  readonly status: number;
  readonly shim_pid: number;
}

export class ShimClient {
  /** A socket's path must be short. */
  readonly #directory = mkdtempSync(join(tmpdir(), 'tsrun-events-'));
  readonly #options: string;
  readonly #program: readonly string[];
  /** `TOPIC of ID` of each event. */
  readonly events: string[] = [];
  #events: Server | undefined;
  readonly #publishers = new Set<Socket>();
  #socket: Socket | undefined;
  #address = '';
  #stream = -1;
  readonly #waiting = new Map<number, { method: string; resolve(answer: Answer): void; reject(error: Error): void }>();

  private constructor(box: Sandbox, program: readonly string[]) {
    this.#program = program;
    this.#options = join(box.directory, 'shim.toml');
    this.setOptions(box);
  }

  /** @param lines options of the containers to come, in TOML */
  setOptions(box: Sandbox, lines: readonly string[] = []): void {
    writeFileSync(this.#options, [`Root = "${dirname(box.root)}"`, ...lines, ''].join('\n'));
  }

  /** @param program the shim as a command, with the words before its flags; if left out, the checkout's */
  static async start(
    t: Pick<Test, 'teardown'>,
    box: Sandbox,
    program: readonly string[] = ofCheckout,
  ): Promise<ShimClient> {
    const client = new ShimClient(box, program);
    t.teardown(() => client.#end());
    await client.listen();
    const answer = client.command('start', box.directory, 'first').toString();
    client.#address = JSON.parse(answer).address.replace('unix://', '');
    await client.connect();
    return client;
  }

  /** Path of its socket; what it has on disk begins so, too. */
  get socket(): string {
    return this.#address;
  }

  /** Path of what it has on disk of a task. */
  noteOf(id: string): string {
    return join(`${this.#address}.tasks`, namespace, id);
  }

  /** The file that a task's note is written to before it takes the place of the last one. */
  nextNoteOf(id: string): string {
    return this.noteOf(`.${id}`);
  }

  get #any() {
    const value = encode(messages.runtimeOptions, { config_path: this.#options });
    return { type_url: 'runtimeoptions.v1.Options', value };
  }

  /** Runs the shim's command, in a bundle. */
  command(action: string, bundle: string, id: string): Buffer {
    const address = join(this.#directory, 'containerd');
    const flags = ['-namespace', namespace, '-id', id, '-address', address, '-bundle', bundle];
    const env = { PATH: process.env.PATH, TTRPC_ADDRESS: join(this.#directory, 'events') };
    const [file = '', ...words] = this.#program;
    return execFileSync(file, [...words, ...flags, action], {
      cwd: bundle,
      env,
      input: encode(messages.anyMessage, this.#any),
    });
  }

  /** Takes events, as a containerd does that has come back. */
  async listen(): Promise<void> {
    rmSync(join(this.#directory, 'events'), { force: true });
    const server = createServer((socket) => {
      this.#publishers.add(socket);
      const reader = new FrameReader();
      socket.on('data', (data) => {
        for (const { stream, body } of reader.take(data)) {
          const { payload = new Uint8Array() } = decode(messages.request, body);
          const { topic, event } = decode(messages.forwardRequest, payload).envelope ?? {};
          const { container_id } = decode({ container_id: [1, 'string'] } as const, event?.value ?? new Uint8Array());
          this.events.push(`${topic} of ${container_id}`);
          socket.write(frame(stream, 'response', encode(messages.response, {})));
        }
      });
      socket.on('error', () => undefined);
    });
    this.#events = server.listen(join(this.#directory, 'events'));
    await once(server, 'listening');
  }

  /** As a containerd that goes: no event can be sent now. */
  stopListening(): void {
    this.#events?.close();
    for (const each of this.#publishers) each.destroy();
    this.#publishers.clear();
    rmSync(join(this.#directory, 'events'), { force: true });
  }

  async connect(): Promise<void> {
    const socket = createConnection(this.#address);
    this.#socket = socket;
    const reader = new FrameReader();
    socket.on('data', (data) => {
      for (const { stream, body } of reader.take(data)) this.#take(stream, body);
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      for (const { reject, method } of this.#waiting.values()) reject(new Error(`${method}: the connection has ended`));
      this.#waiting.clear();
    });
    await once(socket, 'connect');
  }

  /** Asks something over a connection of its own. */
  async visit(): Promise<void> {
    const socket = createConnection(this.#address);
    const payload = encode(messages.processRequest, { id: 'none' });
    const call = { service: 'containerd.task.v3.Task', method: 'Connect', payload, metadata: [] };
    socket.write(frame(1, 'request', encode(messages.request, call)));
    await once(socket, 'data');
    socket.destroy();
  }

  call<Type extends MessageType>(
    method: string,
    type: Type,
    message: Message<Type>,
    service = 'containerd.task.v3.Task',
  ): Promise<Answer> {
    this.#stream += 2;
    const stream = this.#stream;
    const metadata = [{ key: 'containerd-namespace-ttrpc', value: namespace }];
    const payload = encode(type, message);
    const call = { service, method, payload, metadata };
    if (this.#socket?.closed) return Promise.reject(new Error(`${method}: the connection has ended`));
    this.#socket?.write(frame(stream, 'request', encode(messages.request, call)));
    return new Promise((resolve, reject) => this.#waiting.set(stream, { method, resolve, reject }));
  }

  #take(stream: number, body: Buffer): void {
    const waiting = this.#waiting.get(stream);
    if (waiting === undefined) return;
    this.#waiting.delete(stream);
    const { status, payload = new Uint8Array() } = decode(messages.response, body);
    if (status?.code) return waiting.reject(new Error(`${waiting.method}: ${status.message}`));
    const type = results[waiting.method];
    const defaults = { pid: 0, exit_status: 0, status: 0, shim_pid: 0 };
    waiting.resolve({ ...defaults, ...(type && (decode(type, payload) as object)) });
  }

  create(id: string, bundle: string, more: Message<typeof messages.createRequest> = {}): Promise<Answer> {
    return this.call('Create', messages.createRequest, { id, bundle, options: this.#any, ...more });
  }

  /** Start, State, Wait, Delete and what else needs only the process. */
  ask(method: string, id: string, exec_id = ''): Promise<Answer> {
    return this.call(method, messages.processRequest, { id, exec_id });
  }

  /** @param options runc's */
  checkpoint(id: string, path: string, options: Message<typeof messages.checkpointOptions> = {}): Promise<Answer> {
    const value = encode(messages.checkpointOptions, options);
    const any = { type_url: 'containerd.runc.v1.CheckpointOptions', value };
    return this.call('Checkpoint', messages.checkpointRequest, { id, path, options: any });
  }

  /** Kills the engine, and waits for another. */
  async killEngine(): Promise<void> {
    const keeper = await this.keeper();
    const before = await waitFor('an engine', () => this.engine(keeper));
    process.kill(before, 'SIGKILL');
    await waitFor('another engine', async () => {
      const now = await this.engine(keeper);
      return (now !== undefined && now !== before) || undefined;
    });
  }

  kill(id: string, signal: number): Promise<Answer> {
    return this.call('Kill', messages.killRequest, { id, signal });
  }

  /** @param resources of the spec */
  update(id: string, resources: object): Promise<Answer> {
    const value = Buffer.from(JSON.stringify(resources));
    return this.call('Update', messages.updateRequest, { id, resources: { value } });
  }

  /** @param process of the spec */
  exec(id: string, exec_id: string, process: object, more: Message<typeof messages.execRequest> = {}): Promise<Answer> {
    const spec = { value: Buffer.from(JSON.stringify(process)) };
    return this.call('Exec', messages.execRequest, { id, exec_id, spec, ...more });
  }

  /** Asks the sandbox service what needs only the sandbox's id. */
  askSandbox(method: string, sandbox_id: string): Promise<Answer> {
    return this.call(method, pods.sandboxRequest, { sandbox_id }, sandboxService);
  }

  createSandbox(sandbox_id: string, bundle_path: string, config: Message<typeof pods.podConfig>): Promise<Answer> {
    const options = { type_url: 'runtime.v1.PodSandboxConfig', value: encode(pods.podConfig, config) };
    const asked = { sandbox_id, bundle_path, options };
    return this.call('CreateSandbox', pods.createSandboxRequest, asked, sandboxService);
  }

  async keeper(): Promise<number> {
    return (await this.ask('Connect', 'none')).shim_pid;
  }

  /** The engine below the keeper; undefined while there is none. */
  async engine(keeper: number): Promise<number | undefined> {
    const isEngine = (pid: number) => {
      try {
        return execFileSync('cat', [`/proc/${pid}/cmdline`], { encoding: 'utf8' }).includes('shim-engine.mjs');
      } catch {
        return false;
      }
    };
    return childrenOf(keeper).find(isEngine);
  }

  async waitForEvent(event: string): Promise<void> {
    await waitFor(event, () => this.events.includes(event) || undefined);
  }

  async #end(): Promise<void> {
    try {
      process.kill(await this.keeper(), 'SIGKILL');
    } catch {
      // It is gone.
    }
    this.#socket?.destroy();
    this.stopListening();
    rmSync(this.#directory, { recursive: true, force: true });
    if (this.#address === '') return;
    const place = dirname(this.#address);
    for (const name of readdirSync(place))
      if (name.startsWith(basename(this.#address))) rmSync(join(place, name), { recursive: true, force: true });
    for (const name of readdirSync(place)) {
      if (name.startsWith('tsrun-at-') && readlinkSync(join(place, name)) === this.#address) rmSync(join(place, name));
    }
  }
}

function childrenOf(pid: number): number[] {
  const text = execFileSync('sh', ['-c', `cat /proc/${pid}/task/${pid}/children 2>/dev/null || :`], {
    encoding: 'utf8',
  });
  return text.split(' ').filter(Boolean).map(Number);
}
