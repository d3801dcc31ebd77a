/**
 * containerd's sandbox service: it is asked where the CRI plugin's configuration has `sandboxer = "shim"`. A sandbox is a
 * container of ours that holds the pod's namespaces, and a task like any other: it outlives the engine.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SIGKILL, SIGTERM } from '../../linux/signals.ts';
import { decode, encode } from '../../protobuf/wire.ts';
import { type CreateOptions, sandboxOptionsOf } from '../create-options.ts';
import { sandboxOf } from '../group.ts';
import { timestampOf, waitResponse } from '../messages.ts';
import { metricsMessage } from '../metrics.ts';
import type { Task } from '../task.ts';
import { code, Status } from '../ttrpc.ts';
import { within } from '../within.ts';
import { makePodFiles, mountPodFiles, removePodFiles } from './files.ts';
import * as messages from './messages.ts';
import { podSpec } from './spec.ts';

/** What it uses of the task service. */
export interface Tasks {
  readonly namespace: string;
  find(id: string): Task | undefined;
  hasSandboxes(): boolean;
  create(options: CreateOptions): Promise<Task>;
  start(task: Task, isAgain: boolean): Promise<void>;
  delete(task: Task): Promise<void>;
}

export const sandboxService = 'containerd.runtime.sandbox.v1.Sandbox';

/** Milliseconds for which Stop waits before SIGKILL, if it is not asked for another time. */
const stopPatience = 10_000;

/** As the CRI's PodSandboxState. */
const states = { ready: 'SANDBOX_READY', notReady: 'SANDBOX_NOTREADY' } as const;

/** As Go has them. */
const architectures: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

const nothing = new Uint8Array();

type Method = (payload: Uint8Array, isAgain: boolean) => Promise<Uint8Array>;

export class SandboxService {
  readonly #tasks: Tasks;

  constructor(tasks: Tasks) {
    this.#tasks = tasks;
  }

  /** @throws Status */
  answer(method: string, payload: Uint8Array, isAgain: boolean): Promise<Uint8Array> {
    const methods = this.#methods as Readonly<Record<string, Method>>;
    if (!Object.hasOwn(methods, method)) throw new Status('unimplemented', `${sandboxService}/${method}`);
    return (methods[method] as Method)(payload, isAgain);
  }

  /** Gives a container of a sandbox the pod's files. */
  adopt(bundle: string): void {
    if (!this.#tasks.hasSandboxes()) return;
    const pod = this.#tasks.find(sandboxOf(bundle) ?? '');
    if (pod?.options.sandbox !== undefined) mountPodFiles(bundle, pod.options.bundle);
  }

  readonly #methods = {
    CreateSandbox: async (payload: Uint8Array, isAgain: boolean) => {
      const asked = decode(messages.createSandboxRequest, payload);
      const { sandbox_id: id = '', bundle_path: bundle = '', netns_path: network = '' } = asked;
      if ((asked.rootfs ?? []).length > 0) throw new Status('unimplemented', 'a sandbox with a root filesystem');
      const same = this.#tasks.find(id);
      // The earlier engine has made it, and died before its answer.
      const isMade = isAgain && same?.isAdopted && same.options.sandbox !== undefined;
      if (isMade && same.options.bundle === bundle) return nothing;
      if (same !== undefined) throw new Status('alreadyExists', `sandbox ${id} already exists`);
      const { namespace } = this.#tasks;
      const config = podConfigOf(asked.options ?? {});
      const spec = podSpec(config, { id, namespace, network });
      writeFileSync(join(bundle, 'config.json'), JSON.stringify(spec), { mode: 0o600 });
      await makePodFiles(bundle, config);
      try {
        await this.#tasks.create(sandboxOptionsOf(id, bundle, namespace));
      } catch (error) {
        await removePodFiles(bundle);
        throw error;
      }
      return nothing;
    },

    StartSandbox: async (payload: Uint8Array, isAgain: boolean) => {
      const task = this.#sandbox(payload);
      await this.#tasks.start(task, isAgain);
      return encode(messages.startSandboxResponse, { pid: task.pid, created_at: createdAt(task) });
    },

    Platform: async (_: Uint8Array) => {
      const architecture = architectures[process.arch] ?? process.arch;
      return encode(messages.platformResponse, { platform: { os: 'linux', architecture } });
    },

    StopSandbox: async (payload: Uint8Array) => {
      const { timeout_secs: seconds = 0 } = decode(messages.stopSandboxRequest, payload);
      await stop(this.#sandbox(payload), seconds * 1000 || stopPatience);
      return nothing;
    },

    WaitSandbox: async (payload: Uint8Array) => {
      const { status, at } = await this.#sandbox(payload).ended;
      return encode(waitResponse, { exit_status: status, exited_at: timestampOf(at) });
    },

    SandboxStatus: async (payload: Uint8Array) => {
      const task = this.#sandbox(payload);
      const isReady = (await task.status()) === 'running';
      return encode(messages.sandboxStatusResponse, {
        ...{ sandbox_id: task.id, pid: task.pid, created_at: createdAt(task) },
        ...(decode(messages.sandboxStatusRequest, payload).verbose && { info: [infoOf(task)] }),
        state: isReady ? states.ready : states.notReady,
        ...(task.exit && { exited_at: timestampOf(task.exit.at) }),
      });
    },

    PingSandbox: async (payload: Uint8Array) => {
      this.#sandbox(payload);
      return nothing;
    },

    /** Comes also after a failed Create, and for a sandbox that is gone already. */
    ShutdownSandbox: async (payload: Uint8Array) => {
      const task = this.#tasks.find(idOf(payload));
      if (task?.options.sandbox === undefined) return nothing;
      await stop(task, 0);
      await this.#tasks.delete(task);
      await removePodFiles(task.options.bundle);
      return nothing;
    },

    SandboxMetrics: async (payload: Uint8Array) => {
      const task = this.#sandbox(payload);
      const metrics = { timestamp: timestampOf(Date.now()), id: task.id, data: metricsMessage(await task.metrics()) };
      return encode(messages.sandboxMetricsResponse, { metrics });
    },
  };

  #sandbox(payload: Uint8Array): Task {
    const id = idOf(payload);
    const task = this.#tasks.find(id);
    if (task?.options.sandbox === undefined) throw new Status('notFound', `no such sandbox: ${id}`);
    return task;
  }
}

function idOf(payload: Uint8Array): string {
  return decode(messages.sandboxRequest, payload).sandbox_id ?? '';
}

function podConfigOf({ type_url = '', value = nothing }: { type_url?: string; value?: Uint8Array }) {
  if (value.length > 0 && !type_url.endsWith('runtime.v1.PodSandboxConfig')) {
    throw new Status('unimplemented', `a sandbox with options of the type ${type_url}`);
  }
  return decode(messages.podConfig, value);
}

/** What `crictl inspectp` shows. */
function infoOf({ id, pid, options }: Task) {
  const runtimeSpec = JSON.parse(readFileSync(join(options.bundle, 'config.json'), 'utf8')) as unknown;
  return { key: 'info', value: JSON.stringify({ sandboxID: id, pid, runtimeSpec }) };
}

function createdAt(task: Task) {
  return timestampOf(task.options.sandbox?.createdAt ?? 0);
}

async function stop(task: Task, patience: number): Promise<void> {
  if (patience > 0) await signal(task, SIGTERM);
  if (!(await within(patience, task.ended))) await signal(task, SIGKILL);
  await task.ended;
}

async function signal(task: Task, number: number): Promise<void> {
  await task.kill(number, false).catch((error) => {
    if (!(error instanceof Status) || error.code !== code.notFound) throw error;
  });
}
