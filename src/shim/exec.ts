/** A process that Exec adds to a task: described first, started later. */
import { nodeAddon } from '../addon.ts';
import { errorCode } from '../errors.ts';
import type { Child, Identity, Place } from '../library/places.ts';
import { runJob } from '../library/pool.ts';
import { SIGKILL } from '../linux/signals.ts';
import { unlinkIfThere } from '../there.ts';
import { earlierStart } from './earlier-start.ts';
import { adopt, adoptedExit, childExit, ended, reapChild } from './ends.ts';
import { isOver, worded } from './failure.ts';
import type { Depot } from './keeper.ts';
import type { ExecNote, Ledger } from './ledger.ts';
import { openStdio, reopenStdio, withStdio } from './open-stdio.ts';
import { type ExecOptions, type ProcessStatus, type ShimProcess, statusOf, type TaskExit } from './process.ts';
import type { Io, ProcessStdio } from './stdio.ts';
import { Status } from './ttrpc.ts';

/** What it uses of its task. */
export interface ExecSurroundings {
  readonly place: Place;
  /** containerd's. */
  readonly namespace: string;
  readonly depot: Depot;
  readonly ledger: Ledger;
  save(): void;
  saveSoon(): void;
}

export class ExecProcess implements ShimProcess {
  readonly id: string;
  readonly io: Io;
  readonly ended: Promise<TaskExit>;
  pid = 0;
  exit: TaskExit | undefined;
  starting: Promise<void> | undefined;
  readonly #around: ExecSurroundings;
  readonly #options: ExecOptions;
  #identity: Identity | undefined;
  #end: (exit: TaskExit) => void = () => undefined;
  #stdio: ProcessStdio | undefined;
  /** -1 before its start, and after its end. */
  #pidfd = -1;
  #isStarted = false;
  /** The pid, if this engine has started it. */
  #ownChild = 0;
  #isTold: boolean;
  #size: readonly [columns: number, rows: number] | undefined;
  /** Whether an earlier engine has added it. */
  isAdopted = false;

  constructor(around: ExecSurroundings, { options, isTold }: ExecNote) {
    this.#around = around;
    this.#options = options;
    this.id = options.id;
    this.io = options.io;
    this.#isTold = isTold;
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  get note(): ExecNote {
    return { options: this.#options, identity: this.#identity, exit: this.exit, isTold: this.#isTold };
  }

  get isTold(): boolean {
    return this.#isTold;
  }

  tell(): void {
    this.#isTold = true;
    this.#around.saveSoon();
  }

  /** Goes on with a process of an earlier engine's. */
  async adopt({ identity, exit }: ExecNote): Promise<void> {
    this.isAdopted = true;
    if (identity === undefined) return;
    this.#isStarted = true;
    this.#identity = identity;
    const child = exit === undefined ? await adopt(identity) : { ...identity, pidfd: -1 };
    this.pid = identity.pid;
    this.#pidfd = child.pidfd;
    this.#stdio = reopenStdio(this.io, this.#around.depot, child);
    if (exit === undefined) void this.#reap({ ...child, identity });
    else {
      this.#stdio.finish();
      this.exit = exit;
      this.#end(exit);
    }
  }

  /** A process that could not be started may be started again. */
  async start(isAgain: boolean): Promise<void> {
    if (this.isAdopted && !this.#isStarted) await this.#adoptStart();
    if (isAgain && this.isAdopted && this.pid !== 0) return;
    if (this.#isStarted) throw new Status('failedPrecondition', `process ${this.id} has been started already`);
    this.#isStarted = true;
    const { depot, namespace } = this.#around;
    try {
      await withStdio(openStdio(this.io, depot, { id: this.id, namespace }), (stdio) => this.#startWith(stdio));
    } catch (error) {
      this.#isStarted = false;
      throw worded('exec', error);
    }
  }

  async #startWith(stdio: ProcessStdio): Promise<void> {
    const child = await this.#launch(stdio);
    this.#take(stdio, child);
    if (this.#size !== undefined) stdio.resize(...this.#size);
    this.#stdio = stdio;
    this.pid = child.pid;
    this.#pidfd = child.pidfd;
    this.#identity = child.identity;
    this.#ownChild = child.pid;
    this.#around.save();
    void this.#reap(child);
  }

  /** Goes on with what an earlier engine has started, and not written down. */
  async #adoptStart(): Promise<void> {
    const identity = await earlierStart(this.#startNote, this.#around.ledger);
    if (identity === undefined || this.#isStarted) return;
    await this.adopt({ ...this.note, identity });
    this.#around.save();
  }

  get #startNote(): string {
    return this.#around.ledger.startNoteOf(this.#around.place.id, this.id);
  }

  #launch({ descriptors }: ProcessStdio): Promise<Child> {
    const asked = { env: [], cwd: undefined, user: undefined, capabilities: [], noNewPrivileges: false };
    const rest = { cgroup: undefined, ignorePaused: false, pidFile: undefined };
    const { process } = this.#options;
    const notes = { path: this.#startNote, terminal: this.#around.depot.messageFor('master') };
    const results = { holdsTerminal: this.io.terminal, notes };
    return runJob('exec', { ...this.#around.place, ...asked, ...rest, process, descriptors, ...results });
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

  async #reap(child: Child): Promise<void> {
    const at = await ended(child);
    // From now on the number may belong to another descriptor.
    this.#pidfd = -1;
    const isOurs = child.pid === this.#ownChild;
    const exit = isOurs ? childExit(child) : adoptedExit(child, this.#around.ledger);
    const status = (await exit.catch(() => undefined)) ?? {};
    this.#stdio?.finish();
    this.exit = { status: statusOf(status), at };
    this.#around.save();
    this.#end(this.exit);
    if (isOurs) reapChild(child);
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
    unlinkIfThere(this.#startNote);
    this.#stdio?.release();
  }
}
