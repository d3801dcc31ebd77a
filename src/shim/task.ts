/**
 * One container of containerd's: what the shim holds of it besides its state directory, and what can be done with it.
 */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ContainerExit } from '../container/record.ts';
import type { LinuxResources } from '../generated/spec.ts';
import type { Child, Place } from '../library/places.ts';
import { runJob } from '../library/pool.ts';
import { watchOnce } from '../library/watch.ts';
import { SIGKILL } from '../linux/signals.ts';
import type { CreateOptions } from './create-options.ts';
import { type ExecOptions, ExecProcess } from './exec.ts';
import { isOver, worded } from './failure.ts';
import { mountRootfs, unmountRootfs } from './mounts.ts';
import { noteOf } from './note.ts';
import { OomWatch } from './oom.ts';
import { openStdio } from './open-stdio.ts';
import type { ProcessStatus, ShimProcess, TaskExit } from './process.ts';
import type { Io, ProcessStdio } from './stdio.ts';
import { Status } from './ttrpc.ts';

export class Task implements ShimProcess {
  readonly options: CreateOptions;
  readonly pid: number;
  readonly ended: Promise<TaskExit>;
  exit: TaskExit | undefined;
  starting: Promise<void> | undefined;
  readonly execs = new Map<string, ExecProcess>();
  readonly #stdio: ProcessStdio;
  readonly #oom: OomWatch;

  private constructor(options: CreateOptions, child: Child, stdio: ProcessStdio, tellOom: () => void) {
    this.options = options;
    this.pid = child.pid;
    this.#stdio = stdio;
    this.#oom = new OomWatch(tellOom);
    this.ended = this.#reaped(child.pidfd);
  }

  /** @param tellOom is called when the kernel has killed a process of the task because memory ran out */
  static async create(options: CreateOptions, tellOom: () => void): Promise<Task> {
    const { bundle, root, id } = options;
    await mountRootfs(bundle, options.rootfs);
    let stdio: ProcessStdio | undefined;
    try {
      writeFileSync(noteOf(bundle), JSON.stringify({ root }), { mode: 0o600 });
      stdio = openStdio(options.io);
      const { noPivot, noNewKeyring, cgroupManager } = options;
      const lowering = { id, bundle, noPivot, noNewKeyring, cgroupManager, rootless: 'auto', preserveFds: 0 } as const;
      const given = { root, spec: undefined, consoleSocket: undefined, pidfdSocket: undefined };
      const child = await runJob('create', {
        ...{ ...given, lowering, descriptors: stdio.descriptors },
        holdsTerminal: options.io.terminal,
      });
      return await Task.#taken(options, child, stdio, tellOom);
    } catch (error) {
      stdio?.release();
      await unmountRootfs(bundle);
      throw worded('create', error);
    } finally {
      stdio?.closeTheirs();
    }
  }

  static async #taken(options: CreateOptions, child: Child, stdio: ProcessStdio, tellOom: () => void): Promise<Task> {
    try {
      stdio.take(child);
      const task = new Task(options, child, stdio, tellOom);
      if (child.cgroup !== undefined) task.#oom.watch(child.cgroup);
      return task;
    } catch (error) {
      const { root, id } = options;
      await runJob('delete', { root, id, force: true });
      await runJob('reap', child);
      throw error;
    }
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

  async #reaped(pidfd: number): Promise<TaskExit> {
    await new Promise<void>((resolve) => watchOnce(pidfd, resolve));
    const at = Date.now();
    // Without its own pid namespace, other processes outlive init. With one there is nothing left to kill.
    await runJob('kill', { ...this.place, signal: SIGKILL, all: false }).catch(() => undefined);
    const end: ContainerExit = await runJob('finish', { ...this.place, pidfd, keep: true });
    this.#stdio.finish();
    this.#oom.end(end.oomKilled === true);
    // Init's end takes them along, and who follows events must see it come last.
    await Promise.all([...this.execs.values()].map((exec) => exec.pid === 0 || exec.ended));
    this.exit = { status: end.code ?? 128 + (end.signal ?? SIGKILL), at };
    return this.exit;
  }

  async start(): Promise<void> {
    await runJob('start', this.place).catch((error) => {
      throw worded('start', error);
    });
  }

  /** Tells what it is, whichever program has made it so. */
  async status(): Promise<ProcessStatus> {
    if (this.exit !== undefined) return 'stopped';
    const { status } = await runJob('state', this.place);
    return status === 'creating' ? 'created' : status;
  }

  async kill(signal: number, all: boolean): Promise<void> {
    if (this.exit !== undefined && !all) throw isOver();
    await runJob('kill', { ...this.place, signal, all }).catch((error) => {
      throw ['EWRONGSTATE', 'ENOTFOUND'].includes(error.code) ? isOver() : error;
    });
  }

  /** @throws Status when the task has a process of this id, or has ended */
  addExec(options: ExecOptions): ExecProcess {
    const { id } = options;
    if (this.exit !== undefined) throw new Status('failedPrecondition', 'cannot exec in a stopped container');
    if (id === this.id || this.execs.has(id)) throw new Status('alreadyExists', `process ${id} already exists`);
    const exec = new ExecProcess(this.place, options);
    this.execs.set(id, exec);
    return exec;
  }

  metrics = () => runJob('metrics', this.place);
  pids = (): Promise<number[]> => runJob('ps', this.place);
  pause = (): Promise<void> => runJob('pause', this.place);
  resume = (): Promise<void> => runJob('resume', this.place);
  update = (resources: LinuxResources): Promise<void> => runJob('update', { ...this.place, resources });
  closeInput = (): void => this.#stdio.closeInput();
  resize = (columns: number, rows: number): void => this.#stdio.resize(columns, rows);

  /** Deletes the container; a created one is killed first. @throws Status when it runs */
  async delete(): Promise<TaskExit> {
    const status = await this.status();
    if (status === 'running' || status === 'paused') {
      throw new Status('failedPrecondition', `task must be stopped before deletion: ${status}`);
    }
    if (status === 'created') await runJob('delete', { ...this.place, force: false });
    const exit = await this.ended;
    await this.#stdio.drained();
    await runJob('delete', { ...this.place, force: true });
    await unmountRootfs(this.options.bundle);
    rmSync(join(noteOf(this.options.bundle)), { force: true });
    this.release();
    return exit;
  }

  release(): void {
    this.#stdio.release();
    for (const exec of this.execs.values()) exec.release();
  }
}
