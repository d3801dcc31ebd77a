/** A process that Exec adds to a task: described first, started later. */
import { type ExitStatus, nodeAddon } from '../addon.ts';
import { errorCode } from '../errors.ts';
import type { Child, Place } from '../library/places.ts';
import { runJob } from '../library/pool.ts';
import { watchOnce } from '../library/watch.ts';
import { SIGKILL } from '../linux/signals.ts';
import { isOver, worded } from './failure.ts';
import { openStdio } from './open-stdio.ts';
import type { ProcessStatus, ShimProcess, TaskExit } from './process.ts';
import type { Io, ProcessStdio } from './stdio.ts';
import { Status } from './ttrpc.ts';

export interface ExecOptions {
  readonly id: string;
  readonly io: Io;
  /** JSON text of the spec's process. */
  readonly process: string;
}

export class ExecProcess implements ShimProcess {
  readonly id: string;
  readonly io: Io;
  readonly ended: Promise<TaskExit>;
  pid = 0;
  exit: TaskExit | undefined;
  starting: Promise<void> | undefined;
  readonly #place: Place;
  readonly #process: string;
  #end: (exit: TaskExit) => void = () => undefined;
  #stdio: ProcessStdio | undefined;
  /** -1 before its start, and after its end. */
  #pidfd = -1;
  #isStarted = false;
  #size: readonly [columns: number, rows: number] | undefined;

  constructor(place: Place, { id, io, process }: ExecOptions) {
    this.id = id;
    this.io = io;
    this.#place = place;
    this.#process = process;
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  /** A process that could not be started may be started again. */
  async start(): Promise<void> {
    if (this.#isStarted) throw new Status('failedPrecondition', `process ${this.id} has been started already`);
    this.#isStarted = true;
    const stdio = openStdio(this.io);
    try {
      const child = await this.#launch(stdio);
      this.#take(stdio, child);
      if (this.#size !== undefined) stdio.resize(...this.#size);
      this.#stdio = stdio;
      this.pid = child.pid;
      this.#pidfd = child.pidfd;
      void this.#reap(child);
    } catch (error) {
      this.#isStarted = false;
      stdio.release();
      throw worded('exec', error);
    } finally {
      stdio.closeTheirs();
    }
  }

  #launch({ descriptors }: ProcessStdio): Promise<Child> {
    const asked = { env: [], cwd: undefined, user: undefined, capabilities: [], noNewPrivileges: false };
    const rest = { cgroup: undefined, ignorePaused: false, pidFile: undefined };
    return runJob('exec', {
      ...this.#place,
      ...asked,
      ...rest,
      process: this.#process,
      descriptors,
      holdsTerminal: this.io.terminal,
    });
  }

  #take(stdio: ProcessStdio, child: Child): void {
    try {
      stdio.take(child);
    } catch (error) {
      nodeAddon().pidfdSignal(child.pidfd, SIGKILL);
      void runJob('reap', child);
      throw error;
    }
  }

  async #reap({ pidfd }: Child): Promise<void> {
    await new Promise<void>((resolve) => watchOnce(pidfd, resolve));
    const at = Date.now();
    // From now on the number may belong to another descriptor.
    this.#pidfd = -1;
    const status = await runJob('reap', { pidfd }).catch((): ExitStatus => ({ signal: SIGKILL }));
    this.#stdio?.finish();
    this.exit = { status: status.code ?? 128 + (status.signal ?? SIGKILL), at };
    this.#end(this.exit);
  }

  async status(): Promise<ProcessStatus> {
    if (this.exit !== undefined) return 'stopped';
    return this.#isStarted ? 'running' : 'created';
  }

  async kill(signal: number): Promise<void> {
    if (this.exit !== undefined) throw isOver();
    if (!this.#isStarted) throw new Status('failedPrecondition', `process ${this.id} has not been started`);
    await this.starting;
    try {
      if (this.#pidfd < 0) throw isOver();
      nodeAddon().pidfdSignal(this.#pidfd, signal);
    } catch (error) {
      throw errorCode(error) === 'ESRCH' ? isOver() : error;
    }
  }

  closeInput(): void {
    this.#stdio?.closeInput();
  }

  /** Before its start, this is the size that it will have. */
  resize(columns: number, rows: number): void {
    if (!this.io.terminal) throw new Status('failedPrecondition', 'the process has no terminal');
    this.#size = [columns, rows];
    this.#stdio?.resize(columns, rows);
  }

  async delete(): Promise<TaskExit> {
    if (this.#isStarted && this.exit === undefined) {
      throw new Status('failedPrecondition', `process ${this.id} must be stopped before deletion: running`);
    }
    this.#isStarted = true;
    const exit = this.exit ?? { status: 0, at: Date.now() };
    this.#end(exit);
    await this.#stdio?.drained();
    this.release();
    return exit;
  }

  release(): void {
    this.#stdio?.release();
  }
}
