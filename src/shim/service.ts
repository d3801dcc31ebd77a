/** containerd's task service, v2 and v3: passes requests on to tasks. */
import { isAbsolute } from 'node:path';
import { version } from '../build-info.ts';
import type { LinuxResources } from '../generated/spec.ts';
import { decode, encode } from '../protobuf/wire.ts';
import { isThere } from '../there.ts';
import { checkpointRequestOf } from './checkpoint.ts';
import { type CreateOptions, createOptionsOf } from './create-options.ts';
import type { EventOf, Publisher, Topics } from './events.ts';
import { ExecProcess } from './exec.ts';
import { worded } from './failure.ts';
import type { Keeper } from './keeper.ts';
import type { BuriedTask, Ledger } from './ledger.ts';
import * as messages from './messages.ts';
import { metricsMessage } from './metrics.ts';
import { SandboxService, sandboxService } from './pod/service.ts';
import type { ShimProcess, TaskExit } from './process.ts';
import { type Surroundings, Task } from './task.ts';
import { type Call, code, Status } from './ttrpc.ts';

/** Tells containerd of an event; settles as the publisher's promise does. */
type Publish = <Topic extends Topics>(topic: Topic, event: EventOf<Topic>) => Promise<void>;

type Method = (payload: Uint8Array, isAgain: boolean) => Promise<Uint8Array>;

const services = ['containerd.task.v2.Task', 'containerd.task.v3.Task'];
const nothing = new Uint8Array();

export class TaskService {
  readonly #namespace: string;
  readonly #publish: Publish;
  readonly #around: Surroundings;
  readonly #tasks = new Map<string, Task>();
  /** Tasks being created, by their ids. */
  readonly #coming = new Map<string, { giveUp: AbortController; over: Promise<unknown> }>();
  readonly #sandboxes: SandboxService;

  constructor(namespace: string, publisher: Publisher, keeper: Pick<Keeper, 'depotOf'>, ledger: Ledger) {
    this.#namespace = namespace;
    this.#publish = (topic, event) => publisher.publish(namespace, topic, event);
    const tellOom = (id: string) => void this.#publish('/tasks/oom', { container_id: id });
    const depotOf = (task: string, exec: string) => keeper.depotOf(`${namespace}/${task}`, exec);
    this.#around = { namespace, depotOf, ledger, tellOom };
    this.#sandboxes = new SandboxService({
      namespace,
      find: (id) => this.#tasks.get(id),
      hasSandboxes: () => [...this.#tasks.values()].some(({ options }) => options.sandbox !== undefined),
      create: (options) => this.#add(options, false),
      start: (task, isAgain) => this.#start(task, task, isAgain),
      delete: async (task) => {
        await this.#delete(task, task);
      },
    });
  }

  /** Goes on with the tasks of an earlier engine's. */
  async adoptAll(): Promise<void> {
    for (const note of this.#around.ledger.readAll()) {
      try {
        const task = await Task.adopt(note, this.#around);
        this.#tasks.set(task.id, task);
        for (const process of [...task.execs.values(), task]) this.#follow(task, process);
      } catch (error) {
        console.error(error);
      }
    }
  }

  get isEmpty(): boolean {
    for (const id of this.#tasks.keys()) this.#forgetDeleted(id);
    return this.#tasks.size === 0 && this.#coming.size === 0;
  }

  readonly answer = async ({ service, method, payload, isAgain }: Call): Promise<Uint8Array> => {
    if (service === sandboxService) return this.#sandboxes.answer(method, payload, isAgain);
    const methods = this.#methods as Readonly<Record<string, Method>>;
    if (!services.includes(service) || !Object.hasOwn(methods, method)) {
      throw new Status('unimplemented', `${service}/${method}`);
    }
    try {
      return (await methods[method]?.(payload, isAgain)) ?? nothing;
    } catch (error) {
      throw (error as { code?: string }).code === 'ENOTFOUND'
        ? new Status('notFound', (error as Error).message)
        : error;
    }
  };

  readonly #methods = {
    Create: (payload: Uint8Array, isAgain: boolean) => this.#create(payload, isAgain),

    Start: async (payload: Uint8Array, isAgain: boolean) => {
      const { task, process } = this.#process(payload);
      await this.#start(task, process, isAgain);
      return encode(messages.pidResponse, { pid: process.pid });
    },

    Exec: async (payload: Uint8Array, isAgain: boolean) => {
      const asked = decode(messages.execRequest, payload);
      const { exec_id: id = '', stdin = '', stdout = '', stderr = '', terminal = false } = asked;
      const task = this.#task(payload);
      if (id === '') throw new Status('invalidArgument', 'Exec without an exec_id');
      const process = Buffer.from(asked.spec?.value ?? nothing).toString();
      const exec = task.addExec({ id, io: { ...task.io, stdin, stdout, stderr, terminal }, process }, isAgain);
      this.#publish('/tasks/exec-added', { container_id: task.id, exec_id: id });
      this.#follow(task, exec);
      return nothing;
    },

    State: async (payload: Uint8Array) => {
      const { task, process } = this.#process(payload);
      const { id, pid, io, exit } = process;
      const status = messages.taskStatus[await process.status()];
      const exec = process === task ? {} : { exec_id: id };
      const end = exit && endOf(exit);
      return encode(messages.stateResponse, { id, bundle: task.options.bundle, pid, status, ...io, ...end, ...exec });
    },

    Wait: async (payload: Uint8Array) => {
      return encode(messages.waitResponse, endOf(await this.#process(payload).process.ended));
    },

    Kill: async (payload: Uint8Array, isAgain: boolean) => {
      const { signal = 0, all = false } = decode(messages.killRequest, payload);
      await this.#process(payload)
        .process.kill(signal, all)
        .catch((error) => {
          // The signal of the first time may have ended it.
          if (!isAgain || !(error instanceof Status) || error.code !== code.notFound) throw error;
        });
      return nothing;
    },

    Delete: async (payload: Uint8Array, isAgain: boolean) => {
      const gone = isAgain ? this.#goneBy(payload) : undefined;
      if (gone !== undefined) return encode(messages.deleteResponse, { pid: gone.pid, ...endOf(gone) });
      await this.#giveUpCreate(payload);
      const { task, process } = this.#process(payload);
      return encode(messages.deleteResponse, await this.#delete(task, process));
    },

    Stats: async (payload: Uint8Array) => {
      return encode(messages.statsResponse, { stats: metricsMessage(await this.#task(payload).metrics()) });
    },

    Pids: async (payload: Uint8Array) => {
      const pids = await this.#task(payload).pids();
      return encode(messages.pidsResponse, { processes: pids.map((pid) => ({ pid })) });
    },

    Pause: async (payload: Uint8Array) => {
      const task = this.#task(payload);
      await task.pause();
      this.#publish('/tasks/paused', { container_id: task.options.id });
      return nothing;
    },

    Resume: async (payload: Uint8Array) => {
      const task = this.#task(payload);
      await task.resume();
      this.#publish('/tasks/resumed', { container_id: task.options.id });
      return nothing;
    },

    Update: async (payload: Uint8Array) => {
      const task = this.#task(payload);
      await task.update(resourcesOf(payload)).catch((error) => {
        throw worded('update', error);
      });
      return nothing;
    },

    Checkpoint: async (payload: Uint8Array) => {
      const task = this.#task(payload);
      const request = checkpointRequestOf(payload, task.options.bundle);
      await task.checkpoint(request).catch((error) => {
        throw worded('checkpoint', error);
      });
      this.#publish('/tasks/checkpointed', { container_id: task.id, checkpoint: request.imagePath });
      return nothing;
    },

    ResizePty: async (payload: Uint8Array) => {
      const { width = 0, height = 0 } = decode(messages.resizeRequest, payload);
      this.#process(payload).process.resize(width, height);
      return nothing;
    },

    CloseIO: async (payload: Uint8Array) => {
      const { process } = this.#process(payload);
      if (decode(messages.closeIoRequest, payload).stdin) process.closeInput();
      return nothing;
    },

    /** containerd also asks a shim that does not have the task yet. */
    Connect: async (payload: Uint8Array) => {
      const task = this.#tasks.get(decode(messages.processRequest, payload).id ?? '');
      return encode(messages.connectResponse, { shim_pid: process.ppid, task_pid: task?.pid ?? 0, version });
    },

    /** Called for each container; the process leaves when it has none (engine.ts). */
    Shutdown: async (payload: Uint8Array) => {
      const { id = '' } = decode(messages.taskRequest, payload);
      if (!this.#tasks.has(id)) this.#around.ledger.forget(id);
      return nothing;
    },
  };

  /** The end of a task that an earlier engine has deleted without having answered. */
  #goneBy(payload: Uint8Array): BuriedTask | undefined {
    const { id = '', exec_id: exec = '' } = decode(messages.processRequest, payload);
    return exec === '' && !this.#tasks.has(id) ? this.#around.ledger.buried(id) : undefined;
  }

  /** containerd sends Delete when it no longer waits for the answer to Create, whose hook may not end. */
  async #giveUpCreate(payload: Uint8Array): Promise<void> {
    const coming = this.#coming.get(decode(messages.taskRequest, payload).id ?? '');
    coming?.giveUp.abort();
    await coming?.over;
  }

  #task(payload: Uint8Array): Task {
    const { id = '' } = decode(messages.taskRequest, payload);
    const task = this.#tasks.get(id);
    if (task === undefined) throw new Status('notFound', `no such task: ${id}`);
    return task;
  }

  /** The task's own process, or the one of Exec's that the request names. */
  #process(payload: Uint8Array): { task: Task; process: ShimProcess } {
    const { exec_id: execId = '' } = decode(messages.processRequest, payload);
    const task = this.#task(payload);
    if (execId === '') return { task, process: task };
    const process = task.execs.get(execId);
    if (process === undefined) throw new Status('notFound', `no such process: ${execId}`);
    return { task, process };
  }

  async #start(task: Task, process: ShimProcess, isAgain: boolean): Promise<void> {
    const starting = process.start(isAgain).then(() => this.#tellStart(task, process));
    process.starting = starting.catch(() => undefined);
    await starting;
  }

  async #delete(task: Task, process: ShimProcess) {
    const { id } = process;
    const end = { pid: process.pid, ...endOf(await process.delete()) };
    if (process instanceof ExecProcess) task.removeExec(process);
    else {
      // A late second Delete must not take a new task of the same name away.
      if (this.#tasks.get(id) === task) this.#tasks.delete(id);
      this.#publish('/tasks/delete', { container_id: id, ...end });
    }
    return end;
  }

  #tellStart(task: Task, { id, pid }: ShimProcess): void {
    if (id === task.id) this.#publish('/tasks/start', { container_id: id, pid });
    else this.#publish('/tasks/exec-started', { container_id: task.id, exec_id: id, pid });
  }

  #follow(task: Task, process: ShimProcess): void {
    void process.ended.then((exit) => this.#tellExit(task, process, exit));
  }

  /** A short program ends while its start is still under way; who follows events must see start first. */
  async #tellExit(task: Task, process: ShimProcess, exit: TaskExit): Promise<void> {
    await process.starting;
    // One of Exec's that was deleted and never started has no exit.
    if (process.pid === 0 || process.isTold) return;
    await this.#publish('/tasks/exit', {
      container_id: task.id,
      id: process.id,
      pid: process.pid,
      ...endOf(exit),
    });
    if (this.#tasks.get(task.id) === task) process.tell();
  }

  async #create(payload: Uint8Array, isAgain: boolean): Promise<Uint8Array> {
    const options = createOptionsOf(payload, this.#namespace);
    this.#sandboxes.adopt(options.bundle);
    return encode(messages.pidResponse, { pid: (await this.#add(options, isAgain)).pid });
  }

  async #add(options: CreateOptions, isAgain: boolean): Promise<Task> {
    const { id, bundle, rootfs, io } = options;
    if (!isAbsolute(bundle)) throw new Status('invalidArgument', `the bundle ${bundle} is no absolute path`);
    this.#forgetDeleted(id);
    const same = this.#tasks.get(id);
    // The earlier engine has created it, and died before its answer.
    if (isAgain && same?.isAdopted && same.options.bundle === bundle) return same;
    if (this.#tasks.has(id) || this.#coming.has(id)) throw new Status('alreadyExists', `task ${id} already exists`);
    const giveUp = new AbortController();
    const creating = Task.create(options, this.#around, giveUp.signal);
    this.#coming.set(id, { giveUp, over: creating.catch(() => undefined) });
    try {
      const task = await creating;
      this.#tasks.set(id, task);
      this.#publish('/tasks/create', { container_id: id, bundle, rootfs, io, pid: task.pid });
      this.#follow(task, task);
      return task;
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

/** They come as JSON. */
function resourcesOf(payload: Uint8Array): LinuxResources {
  const { resources } = decode(messages.updateRequest, payload);
  try {
    return JSON.parse(Buffer.from(resources?.value ?? nothing).toString()) as LinuxResources;
  } catch (error) {
    throw new Status('invalidArgument', `Update with resources that are no JSON: ${(error as Error).message}`);
  }
}

function endOf({ status, at }: TaskExit) {
  return { exit_status: status, exited_at: messages.timestampOf(at) };
}
