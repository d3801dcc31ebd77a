/** The CRI as the kubelet uses it: pods and containers over the engine's socket. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repoRoot, waitFor } from '../../harness/index.ts';
import type { EnginePlace } from '../engine-place.ts';
import { GrpcConnection } from './grpc.ts';
import { type Message, Proto } from './protobuf.ts';

const proto = new Proto(readFileSync(join(repoRoot, 'test/clients/cri/cri.proto'), 'utf8'));
const service = 'runtime.v1.RuntimeService';

/** Numbers of NamespaceOption. */
export const namespaceMode = { pod: 0, container: 1, node: 2, target: 3 };

/** Numbers of ContainerStatus. */
export const containerState = { created: 0, running: 1, exited: 2 };

const execAttempts = 3;

export interface Pod {
  id: string;
  config: Message;
}

export interface Output {
  code: number;
  stdout: string;
  stderr: string;
}

export class Cri {
  readonly #connection: GrpcConnection;
  readonly #place: EnginePlace;
  #count = 0;

  /** @param socket the path in the place */
  constructor(place: EnginePlace, socket: string) {
    this.#place = place;
    this.#connection = new GrpcConnection(place.pathOutside(socket));
  }

  close(): void {
    this.#connection.close();
  }

  async call<T = Message>(method: string, request: Message, types: { request: string; response: string }): Promise<T> {
    const answer = await this.#connection.call(`${service}/${method}`, proto.encode(types.request, request));
    return proto.decode(types.response, answer) as T;
  }

  /**
   * @param linux LinuxPodSandboxConfig
   * @param handler the handler that a RuntimeClass names; if left out, the default runtime
   */
  async runPod(name: string, linux: Message = {}, handler?: string): Promise<Pod> {
    const metadata = { name, uid: `uid-${name}-${++this.#count}`, namespace: 'default', attempt: 0 };
    const config = { metadata, hostname: name, log_directory: this.logDirectory, linux };
    const types = { request: 'RunPodSandboxRequest', response: 'RunPodSandboxResponse' };
    const { pod_sandbox_id: id } = await this.call<{ pod_sandbox_id: string }>(
      'RunPodSandbox',
      { config, runtime_handler: handler },
      types,
    );
    return { id, config };
  }

  async removePod({ id }: Pod): Promise<void> {
    for (const method of ['StopPodSandbox', 'RemovePodSandbox']) {
      await this.call(method, { pod_sandbox_id: id }, { request: 'PodSandboxRequest', response: 'Empty' });
    }
  }

  async podStatus({ id }: Pod): Promise<{ ip: string; info: Message }> {
    const types = { request: 'PodSandboxRequest', response: 'PodSandboxStatusResponse' };
    const answer = await this.call<{ status: { network?: { ip?: string } }; info: { info: string } }>(
      'PodSandboxStatus',
      { pod_sandbox_id: id, verbose: true },
      types,
    );
    return { ip: answer.status.network?.ip ?? '', info: JSON.parse(answer.info.info) };
  }

  /** The features that the engine has found in the runtime; containerd 1 does not report any. */
  async handlerFeatures(): Promise<{ recursive_read_only_mounts?: boolean; user_namespaces?: boolean }> {
    const types = { request: 'StatusRequest', response: 'StatusResponse' };
    const { runtime_handlers: handlers } = await this.call<{
      runtime_handlers: { name?: string; features?: object }[];
    }>('Status', {}, types);
    return handlers.find(({ name }) => name === 'under-test')?.features ?? {};
  }

  /** Creates a container; `config` is a ContainerConfig without name and image. */
  async create(pod: Pod, image: string, config: Message): Promise<string> {
    const name = `container-${++this.#count}`;
    const request = {
      pod_sandbox_id: pod.id,
      config: { metadata: { name }, image: { image }, log_path: `${name}.log`, ...config },
      sandbox_config: pod.config,
    };
    const types = { request: 'CreateContainerRequest', response: 'CreateContainerResponse' };
    return (await this.call<{ container_id: string }>('CreateContainer', request, types)).container_id;
  }

  async start(container: string): Promise<void> {
    await this.#container('StartContainer', container);
  }

  /** Creates a container and starts it. */
  async run(pod: Pod, image: string, config: Message): Promise<string> {
    const container = await this.create(pod, image, config);
    await this.start(container);
    return container;
  }

  /** @param timeout seconds between SIGTERM and SIGKILL */
  async stop(container: string, timeout = 0): Promise<void> {
    const types = { request: 'StopContainerRequest', response: 'Empty' };
    await this.call('StopContainer', { container_id: container, timeout }, types);
  }

  /** @param linux LinuxContainerResources */
  async update(container: string, linux: Message): Promise<void> {
    const types = { request: 'UpdateContainerResourcesRequest', response: 'Empty' };
    await this.call('UpdateContainerResources', { container_id: container, linux }, types);
  }

  /** Saves a container, which goes on, to an archive, as the kubelet's checkpoint API does. */
  async checkpoint(container: string, location: string): Promise<void> {
    const types = { request: 'CheckpointContainerRequest', response: 'Empty' };
    await this.call('CheckpointContainer', { container_id: container, location, timeout: 200 }, types);
  }

  async remove(container: string): Promise<void> {
    await this.#container('RemoveContainer', container);
  }

  async status(container: string): Promise<{ state: number; exit_code: number; reason: string; message: string }> {
    const types = { request: 'ContainerRequest', response: 'ContainerStatusResponse' };
    const { status } = await this.call<{ status: object }>('ContainerStatus', { container_id: container }, types);
    return { state: 0, exit_code: 0, reason: '', message: '', ...status };
  }

  async waitForState(container: string, state: number): Promise<void> {
    await waitFor(`${container} to be in state ${state}`, async () =>
      (await this.status(container)).state === state ? true : undefined,
    );
  }

  /** Runs a command again that printed nothing, because its output may be lost: see `heard` of ../containerd.ts. */
  async execSync(container: string, ...cmd: string[]): Promise<Output> {
    for (let attempt = 1; ; attempt++) {
      const output = await this.#execOnce(container, cmd);
      if (output.stdout !== '' || output.stderr !== '' || attempt === execAttempts) return output;
    }
  }

  async #execOnce(container: string, cmd: string[]): Promise<Output> {
    const types = { request: 'ExecSyncRequest', response: 'ExecSyncResponse' };
    const request = { container_id: container, cmd, timeout: 200 };
    const answer = await this.call<{ stdout?: Buffer; stderr?: Buffer; exit_code?: number }>(
      'ExecSync',
      request,
      types,
    );
    return {
      code: answer.exit_code ?? 0,
      stdout: answer.stdout?.toString() ?? '',
      stderr: answer.stderr?.toString() ?? '',
    };
  }

  /** Exec, Attach and PortForward answer with a URL; this connects to it. See stream.mjs. */
  async stream(method: string, request: Message, dialogue: { send?: string; until?: string; query?: string }) {
    const types = { request: `${method}Request`, response: 'StreamResponse' };
    const { url } = await this.call<{ url: string }>(method, request, types);
    const script = join(repoRoot, 'test/clients/cri/stream.mjs');
    const { send = '', until = '', query = '' } = dialogue;
    const command = ['node', '--experimental-websocket', '--no-warnings', script, url + query, send, until];
    return JSON.parse(await this.#place.outputOf(command)) as Record<string, string>;
  }

  get logDirectory(): string {
    return '/var/log/pods';
  }

  #container(method: string, container: string): Promise<Message> {
    return this.call(method, { container_id: container }, { request: 'ContainerRequest', response: 'Empty' });
  }
}
