/**
 * One container of containerd's: what the shim holds of it besides its state directory, and what can be done with it.
 */
import type { CheckpointRequest } from '../container/checkpoint/checkpoint.ts';
import type { LinuxResources } from '../generated/spec.ts';
import type { Child, Identity, Place } from '../library/places.ts';
import { runJob } from '../library/pool.ts';
import { SIGKILL } from '../linux/signals.ts';
import { unlinkIfThere } from '../there.ts';
import type { CreateOptions } from './create-options.ts';
import { adoptedEndOfTask, ended, endOfTask } from './ends.ts';
import { ExecProcess, type ExecSurroundings } from './exec.ts';
import { isOver, worded } from './failure.ts';
import type { Keeper } from './keeper.ts';
import type { Ledger, TaskNote } from './ledger.ts';
import { adoptInit, beginBundle, make, restore, startTask } from './make-task.ts';
import { noteOf } from './note.ts';
import { OomWatch } from './oom.ts';
import { openStdio, reopenStdio, withStdio } from './open-stdio.ts';
import { type ExecOptions, type ProcessStatus, type ShimProcess, statusOf, type TaskExit } from './process.ts';
import type { Io, ProcessStdio } from './stdio.ts';
import { Status } from './ttrpc.ts';

/** What a task uses of the server. */
export interface Surroundings {
  /** containerd's. */
  readonly namespace: string;
  readonly depotOf: Keeper['depotOf'];
  readonly ledger: Ledger;
  /** Called when the kernel has killed a process of the task because memory ran out. */
  tellOom(id: string): void;
}

export class Task implements ShimProcess {
  readonly options: CreateOptions;
  /** 0 before Start restores a checkpoint. */
  pid = 0;
  readonly ended: Promise<TaskExit>;
  exit: TaskExit | undefined;
  starting: Promise<void> | undefined;
  readonly execs = new Map<string, ExecProcess>();
  /** Whether an earlier engine has made it; its requests without an answer then come once more. */
  readonly isAdopted: boolean;
  #identity: Identity | undefined;
  #stdio: ProcessStdio | undefined;
  #end: (exit: TaskExit) => void = () => undefined;
  readonly #oom: OomWatch;
  readonly #around: Surroundings;
  #isTold: boolean;
  #isReleased = false;
  #isRestoring = false;
  #saving: NodeJS.Immediate | undefined;
  /** Gives up the start that is under way, if there is one. */
  #start: AbortController | undefined;
  /** The pid, if this engine has made the process. */
  #ownChild = 0;

  private constructor(around: Surroundings, note: TaskNote, isAdopted: boolean) {
    const { options } = note;
    this.#around = around;
    this.options = options;
    this.isAdopted = isAdopted;
    this.#isTold = note.isTold;
    this.#oom = new OomWatch(() => around.tellOom(options.id));
    for (const exec of note.execs) this.execs.set(exec.options.id, new ExecProcess(this.#forExec(exec.options), exec));
    this.exit = note.exit;
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  /** Takes a process that this engine has made. */
  async #take(child: Child, stdio: ProcessStdio): Promise<void> {
    try {
      stdio.take(child);
      this.#ownChild = child.pid;
      this.#has(child, stdio);
      this.save();
    } catch (error) {
      await runJob('delete', { ...this.place, force: true });
      await runJob('reap', child);
      throw error;
    }
  }

  /** Has its process from now on. */
  #has(child: Child, stdio: ProcessStdio): void {
    this.pid = child.pid;
    this.#identity = child.identity;
    this.#stdio = stdio;
    if (child.cgroup !== undefined) this.#oom.watch(child.cgroup);
    if (this.exit === undefined) void this.#reap(child);
    else this.#end(this.exit);
  }

  /** @param signal gives it up, as when a hook does not end */
  static async create(options: CreateOptions, around: Surroundings, signal: AbortSignal): Promise<Task> {
    const { bundle, rootfs } = options;
    await beginBundle(options, around.ledger);
    if (options.checkpoint !== '') {
      await runJob('mountRootfs', { bundle, mounts: rootfs });
      const task = new Task(around, newNote(options), false);
      task.save();
      return task;
    }
    try {
      return await withStdio(stdioOf(options, around), async (stdio) => {
        const child = await make(options, stdio, signal);
        const task = new Task(around, newNote(options), false);
        await task.#take(child, stdio);
        return task;
      });
    } catch (error) {
      await runJob('unmountRootfs', { bundle });
      throw worded('create', error);
    }
  }

  /** Goes on with a task of an earlier engine's. */
  static async adopt(note: TaskNote, around: Surroundings): Promise<Task> {
    const { id, io } = note.options;
    if (note.identity === undefined) return Task.#unstarted(note, around);
    const child = await adoptInit(note, note.identity);
    const stdio = reopenStdio(io, around.depotOf(id, ''), child);
    if (note.exit !== undefined) stdio.finish();
    const task = new Task(around, note, true);
    task.#has(child, stdio);
    for (const each of note.execs) await task.execs.get(each.options.id)?.adopt(each);
    return task;
  }

  static #unstarted(note: TaskNote, around: Surroundings): Task {
    const { id, checkpoint } = note.options;
    if (checkpoint === '') throw new Error(`nothing is known of the process of ${id}`);
    return new Task(around, note, true);
  }

  /** Writes down what a later engine needs. */
  save(): void {
    clearImmediate(this.#saving);
    this.#saving = undefined;
    if (this.#isReleased) return;
    const { options, exit } = this;
    const execs = [...this.execs.values()].map((exec) => exec.note);
    this.#around.ledger.write(this.id, { options, identity: this.#identity, exit, isTold: this.#isTold, execs });
  }

  /** For what a later engine can do without: after the answers to whoever waits now. */
  saveSoon(): void {
    this.#saving ??= setImmediate(() => this.save());
  }

  get isTold(): boolean {
    return this.#isTold;
  }

  tell(): void {
    this.#isTold = true;
    this.saveSoon();
  }

  #forExec({ id }: ExecOptions): ExecSurroundings {
    const { depotOf, ledger, namespace } = this.#around;
    const saving = { save: () => this.save(), saveSoon: () => this.saveSoon() };
    return { place: this.place, namespace, depot: depotOf(this.id, id), ledger, ...saving };
  }

  get id(): string {
    return this.options.id;
  }

  get io(): Io {
    return this.options.io;
  }

  get place(): Place {
    const { root, id } = this.options;
    return { root, id };
  }

  async #reap(child: Child): Promise<void> {
    const at = await ended(child);
    const isOurs = child.pid === this.#ownChild;
    const end = await (isOurs
      ? endOfTask(child, this.place)
      : adoptedEndOfTask(child, this.place, this.#around.ledger));
    this.#stdio?.finish();
    this.#oom.end(end.oomKilled === true);
    // Init's end takes them along, and who follows events must see it come last.
    await Promise.all([...this.execs.values()].map((exec) => exec.pid === 0 || exec.ended));
    this.exit = { status: statusOf(end), at };
    this.save();
    this.#end(this.exit);
  }

  async start(isAgain: boolean): Promise<void> {
    if (this.pid === 0) return this.#restore();
    this.#start = new AbortController();
    await startTask(this.place, isAgain, this.#start.signal);
  }

  /** Makes the process of a task that was created from a checkpoint. One that fails may be started again. */
  async #restore(): Promise<void> {
    if (this.#isRestoring || this.exit !== undefined) {
      throw new Status('failedPrecondition', `task ${this.id} has been started already`);
    }
    this.#isRestoring = true;
    const { options, place } = this;
    try {
      // What an earlier engine has left, which died within it.
      if (this.isAdopted) await runJob('delete', { ...place, force: true });
      await withStdio(stdioOf(options, this.#around), async (stdio) => {
        await this.#take(await restore(options, stdio), stdio);
      });
    } catch (error) {
      throw worded('restore', error);
    } finally {
      this.#isRestoring = false;
    }
  }

  /** Tells what it is, whichever program has made it so. */
  async status(): Promise<ProcessStatus> {
    if (this.exit !== undefined) return 'stopped';
    if (this.pid === 0) return 'created';
    const { status } = await runJob('state', this.place);
    return status === 'creating' ? 'created' : status;
  }

  async kill(signal: number, all: boolean): Promise<void> {
    if (this.exit !== undefined && !all) throw isOver();
    this.#demandProcess();
    await runJob('kill', { ...this.place, signal, all }).catch((error) => {
      throw ['EWRONGSTATE', 'ENOTFOUND'].includes(error.code) ? isOver() : error;
    });
    // A hook of the start may go on for ever.
    if (signal === SIGKILL) void this.ended.then(() => this.#start?.abort());
  }

  /** @throws Status when the task has a process of this id, or has ended */
  addExec(options: ExecOptions, isAgain: boolean): ExecProcess {
    const { id } = options;
    if (this.exit !== undefined) throw new Status('failedPrecondition', 'cannot exec in a stopped container');
    this.#demandProcess();
    const same = this.execs.get(id);
    if (isAgain && same?.isAdopted) return same;
    if (id === this.id || same) throw new Status('alreadyExists', `process ${id} already exists`);
    // Of an earlier one with this id, if an engine died while it deleted that.
    unlinkIfThere(this.#around.ledger.startNoteOf(this.id, id));
    const exec = new ExecProcess(this.#forExec(options), { options, isTold: false });
    this.execs.set(id, exec);
    this.save();
    return exec;
  }

  metrics = () => runJob('metrics', this.place);
  /** Not empty for a stopped one: containerd, when it comes back, takes such a task for a leak and deletes it. */
  pids = async (): Promise<number[]> => (this.exit === undefined ? runJob('ps', this.place) : [this.pid]);
  pause = (): Promise<void> => runJob('pause', this.place);
  resume = (): Promise<void> => runJob('resume', this.place);
  update = (resources: LinuxResources): Promise<void> => runJob('update', { ...this.place, resources });
  checkpoint = async (request: CheckpointRequest): Promise<void> => {
    this.#demandProcess();
    await runJob('checkpoint', { ...this.place, request });
  };
  closeInput = (): void => this.#stdio?.closeInput();
  resize = (columns: number, rows: number): void => this.#stdio?.resize(columns, rows);

  #demandProcess(): void {
    if (this.pid !== 0) return;
    throw new Status('failedPrecondition', `task ${this.id} has no process before Start restores it`);
  }

  /** Deletes the container; a created one is killed first. @throws Status when it runs */
  async delete(): Promise<TaskExit> {
    const status = await this.status();
    if (status === 'running' || status === 'paused') {
      throw new Status('failedPrecondition', `task must be stopped before deletion: ${status}`);
    }
    if (this.pid === 0) return this.#deleteUnstarted();
    this.#start?.abort();
    await this.starting;
    if (status === 'created') await runJob('delete', { ...this.place, force: false });
    const exit = await this.ended;
    await this.#stdio?.drained();
    await this.#remove();
    this.#around.ledger.bury(this.id, { pid: this.pid, ...exit });
    this.#letGo();
    return exit;
  }

  /** Of a task whose checkpoint was never restored. */
  async #deleteUnstarted(): Promise<TaskExit> {
    if (this.#isRestoring) throw new Status('failedPrecondition', `task ${this.id} is being restored`);
    const exit = { status: 0, at: Date.now() };
    this.exit = exit;
    await this.#remove();
    this.release();
    this.#end(exit);
    return exit;
  }

  async #remove(): Promise<void> {
    const { bundle } = this.options;
    await runJob('delete', { ...this.place, force: true, unmounts: bundle });
    unlinkIfThere(noteOf(bundle));
  }

  removeExec(exec: ExecProcess): void {
    // A late second Delete must not take a new process of the same name away.
    if (this.execs.get(exec.id) !== exec) return;
    this.execs.delete(exec.id);
    this.saveSoon();
  }

  release(): void {
    this.#around.ledger.remove(this.id);
    this.#letGo();
  }

  #letGo(): void {
    this.#isReleased = true;
    this.#stdio?.release();
    for (const exec of this.execs.values()) exec.release();
  }
}

function stdioOf({ id, io }: CreateOptions, { depotOf, namespace }: Surroundings): Promise<ProcessStdio> {
  return openStdio(io, depotOf(id, ''), { id, namespace });
}

function newNote(options: CreateOptions): TaskNote {
  return { options, isTold: false, execs: [] };
}
