/**
 * One container of containerd's: what the shim holds of it besides its state directory, and what can be done with it.
 */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ContainerExit } from '../container/record.ts';
import { TsrunError } from '../errors.ts';
import type { LinuxResources } from '../generated/spec.ts';
import type { Child, Place } from '../library/places.ts';
import { runJob } from '../library/pool.ts';
import { watchOnce } from '../library/watch.ts';
import { SIGKILL } from '../linux/signals.ts';
import type { CreateOptions } from './create-options.ts';
import { mountRootfs, unmountRootfs } from './mounts.ts';
import { noteOf } from './note.ts';
import { openStdio, type TaskStdio } from './stdio.ts';
import { Status } from './ttrpc.ts';

/** How a task has ended: the status as a shell has it, and the time in milliseconds since 1970. */
export interface TaskExit {
  readonly status: number;
  readonly at: number;
}

export class Task {
  readonly options: CreateOptions;
  readonly pid: number;
  readonly ended: Promise<TaskExit>;
  exit: TaskExit | undefined;
  /** Settles, and never rejects, when start is over. */
  starting: Promise<void> | undefined;
  readonly #stdio: TaskStdio;

  private constructor(options: CreateOptions, child: Child, stdio: TaskStdio) {
    this.options = options;
    this.pid = child.pid;
    this.#stdio = stdio;
    this.ended = this.#reaped(child.pidfd);
  }

  static async create(options: CreateOptions): Promise<Task> {
    const { bundle, root, id } = options;
    await mountRootfs(bundle, options.rootfs);
    let stdio: TaskStdio | undefined;
    try {
      writeFileSync(noteOf(bundle), JSON.stringify({ root }), { mode: 0o600 });
      stdio = openStdio(options.io);
      const { noPivot, noNewKeyring, cgroupManager } = options;
      const lowering = { id, bundle, noPivot, noNewKeyring, cgroupManager, rootless: 'auto', preserveFds: 0 } as const;
      const given = { root, spec: undefined, consoleSocket: undefined, pidfdSocket: undefined };
      const child = await runJob('create', { ...given, lowering, descriptors: stdio.descriptors });
      return new Task(options, child, stdio);
    } catch (error) {
      stdio?.release();
      await unmountRootfs(bundle);
      throw worded('create', error);
    } finally {
      stdio?.closeTheirs();
    }
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
    this.exit = { status: end.code ?? 128 + (end.signal ?? SIGKILL), at };
    return this.exit;
  }

  async start(): Promise<void> {
    await runJob('start', this.place).catch((error) => {
      throw worded('start', error);
    });
  }

  /** @returns created, running, paused or stopped, whichever program has made it so */
  async status(): Promise<'created' | 'running' | 'paused' | 'stopped'> {
    if (this.exit !== undefined) return 'stopped';
    const { status } = await runJob('state', this.place);
    return status === 'creating' ? 'created' : status;
  }

  async kill(signal: number, all: boolean): Promise<void> {
    const isOver = () => new Status('notFound', 'process already finished');
    if (this.exit !== undefined && !all) throw isOver();
    await runJob('kill', { ...this.place, signal, all }).catch((error) => {
      throw ['EWRONGSTATE', 'ENOTFOUND'].includes(error.code) ? isOver() : error;
    });
  }

  pids = (): Promise<number[]> => runJob('ps', this.place);
  pause = (): Promise<void> => runJob('pause', this.place);
  resume = (): Promise<void> => runJob('resume', this.place);
  update = (resources: LinuxResources): Promise<void> => runJob('update', { ...this.place, resources });
  closeInput = (): void => this.#stdio.closeInput();

  /** Deletes the container; a created one is killed first. @throws Status when it runs */
  async delete(): Promise<TaskExit> {
    const status = await this.status();
    if (status === 'running' || status === 'paused') {
      throw new Status('failedPrecondition', `task must be stopped before deletion: ${status}`);
    }
    if (status === 'created') await runJob('delete', { ...this.place, force: false });
    const exit = await this.ended;
    await runJob('delete', { ...this.place, force: true });
    await unmountRootfs(this.options.bundle);
    rmSync(join(noteOf(this.options.bundle)), { force: true });
    this.release();
    return exit;
  }

  release(): void {
    this.#stdio.release();
  }
}

/** As containerd's own shim words an error of runc; callers look for these words. */
function worded(verb: string, error: unknown): unknown {
  if (error instanceof Status) return error;
  const text = error instanceof TsrunError ? error.asLine : (error as Error).message;
  return new Error(`OCI runtime ${verb} failed: ${text}`);
}
