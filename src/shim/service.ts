/** containerd's task service, v2 and v3: passes requests on to tasks. */
import { isAbsolute } from 'node:path';
import { version } from '../build-info.ts';
import type { LinuxResources } from '../generated/spec.ts';
import { decode, encode } from '../protobuf/wire.ts';
import { isThere } from '../there.ts';
import { createOptionsOf } from './create-options.ts';
import type { Publisher } from './events.ts';
import * as messages from './messages.ts';
import { Task, type TaskExit } from './task.ts';
import { type Call, Status } from './ttrpc.ts';

const services = ['containerd.task.v2.Task', 'containerd.task.v3.Task'];
const nothing = new Uint8Array();

export class TaskService {
  readonly #namespace: string;
  readonly #publisher: Publisher;
  readonly #tasks = new Map<string, Task>();
  /** Ids of the tasks being created. */
  readonly #coming = new Set<string>();

  constructor(namespace: string, publisher: Publisher) {
    this.#namespace = namespace;
    this.#publisher = publisher;
  }

  get isEmpty(): boolean {
    for (const id of this.#tasks.keys()) this.#forgetDeleted(id);
    return this.#tasks.size === 0 && this.#coming.size === 0;
  }

  readonly answer = async ({ service, method, payload }: Call): Promise<Uint8Array> => {
    const methods = this.#methods as Readonly<Record<string, (payload: Uint8Array) => Promise<Uint8Array>>>;
    if (!services.includes(service) || !Object.hasOwn(methods, method)) {
      throw new Status('unimplemented', `${service}/${method}`);
    }
    try {
      return (await methods[method]?.(payload)) ?? nothing;
    } catch (error) {
      throw (error as { code?: string }).code === 'ENOTFOUND'
        ? new Status('notFound', (error as Error).message)
        : error;
    }
  };

  readonly #methods = {
    Create: (payload: Uint8Array) => this.#create(payload),

    Start: async (payload: Uint8Array) => {
      const task = this.#find(payload, 'Start');
      const { id } = task.options;
      const starting = task
        .start()
        .then(() => this.#publisher.publish('/tasks/start', { container_id: id, pid: task.pid }));
      task.starting = starting.catch(() => undefined);
      await starting;
      return encode(messages.pidResponse, { pid: task.pid });
    },

    State: async (payload: Uint8Array) => {
      const task = this.#find(payload, 'State');
      const { id, bundle, io } = task.options;
      const status = messages.taskStatus[await task.status()];
      const end = task.exit && { exit_status: task.exit.status, exited_at: messages.timestampOf(task.exit.at) };
      return encode(messages.stateResponse, { id, bundle, pid: task.pid, status, ...io, ...end });
    },

    Wait: async (payload: Uint8Array) => {
      return encode(messages.waitResponse, endOf(await this.#find(payload, 'Wait').ended));
    },

    Kill: async (payload: Uint8Array) => {
      const { signal = 0, all = false } = decode(messages.killRequest, payload);
      await this.#find(payload, 'Kill').kill(signal, all);
      return nothing;
    },

    Delete: async (payload: Uint8Array) => {
      const task = this.#find(payload, 'Delete');
      const { id } = task.options;
      const end = { pid: task.pid, ...endOf(await task.delete()) };
      // A late second Delete must not take a new task of the same name away.
      if (this.#tasks.get(id) === task) this.#tasks.delete(id);
      this.#publisher.publish('/tasks/delete', { container_id: id, ...end });
      return encode(messages.deleteResponse, end);
    },

    Pids: async (payload: Uint8Array) => {
      const pids = await this.#find(payload, 'Pids').pids();
      return encode(messages.pidsResponse, { processes: pids.map((pid) => ({ pid })) });
    },

    Pause: async (payload: Uint8Array) => {
      const task = this.#find(payload, 'Pause');
      await task.pause();
      this.#publisher.publish('/tasks/paused', { container_id: task.options.id });
      return nothing;
    },

    Resume: async (payload: Uint8Array) => {
      const task = this.#find(payload, 'Resume');
      await task.resume();
      this.#publisher.publish('/tasks/resumed', { container_id: task.options.id });
      return nothing;
    },

    Update: async (payload: Uint8Array) => {
      const { resources } = decode(messages.updateRequest, payload);
      const text = Buffer.from(resources?.value ?? nothing).toString();
      await this.#find(payload, 'Update').update(JSON.parse(text) as LinuxResources);
      return nothing;
    },

    CloseIO: async (payload: Uint8Array) => {
      const task = this.#find(payload, 'CloseIO');
      if (decode(messages.closeIoRequest, payload).stdin) task.closeInput();
      return nothing;
    },

    /** containerd also asks a shim that does not have the task yet. */
    Connect: async (payload: Uint8Array) => {
      const task = this.#tasks.get(decode(messages.processRequest, payload).id ?? '');
      return encode(messages.connectResponse, { shim_pid: process.pid, task_pid: task?.pid ?? 0, version });
    },

    /** Called for each container; the process leaves when it has none (server.ts). */
    Shutdown: async () => nothing,
  };

  #find(payload: Uint8Array, method: string): Task {
    const { id = '', exec_id: execId = '' } = decode(messages.processRequest, payload);
    // The second field of these requests is something else: it decodes to nothing here, or is no exec id.
    if (execId !== '' && !['Pids', 'Pause', 'Resume', 'Update'].includes(method)) {
      throw new Status('unimplemented', `${method} of a process of Exec's`);
    }
    const task = this.#tasks.get(id);
    if (task === undefined) throw new Status('notFound', `no such task: ${id}`);
    return task;
  }

  async #create(payload: Uint8Array): Promise<Uint8Array> {
    const options = createOptionsOf(payload, this.#namespace);
    const { id, bundle, rootfs, io } = options;
    if (!isAbsolute(bundle)) throw new Status('invalidArgument', `the bundle ${bundle} is no absolute path`);
    this.#forgetDeleted(id);
    if (this.#tasks.has(id) || this.#coming.has(id)) throw new Status('alreadyExists', `task ${id} already exists`);
    this.#coming.add(id);
    try {
      const task = await Task.create(options);
      this.#tasks.set(id, task);
      this.#publisher.publish('/tasks/create', { container_id: id, bundle, rootfs, io, pid: task.pid });
      void task.ended.then(async (exit) => {
        // A short program ends while its start is still under way; who follows events must see start first.
        await task.starting;
        this.#publisher.publish('/tasks/exit', { container_id: id, id, pid: task.pid, ...endOf(exit) });
      });
      return encode(messages.pidResponse, { pid: task.pid });
    } finally {
      this.#coming.delete(id);
    }
  }

  /** `tsrun delete`, or another program, may have removed a task's container. */
  #forgetDeleted(id: string): void {
    const task = this.#tasks.get(id);
    if (task?.exit === undefined || isThere(`${task.place.root}/${id}`)) return;
    task.release();
    this.#tasks.delete(id);
  }
}

function endOf({ status, at }: TaskExit) {
  return { exit_status: status, exited_at: messages.timestampOf(at) };
}
