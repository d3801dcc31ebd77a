/**
 * The FIFOs of a process, which containerd names and its client reads. The process gets them directly: nothing is
 * copied. The shim holds the other end of each, so that a reader may leave and come back, and stdin stays open until
 * CloseIO; the keeper holds them, too.
 */
import { closeSync, constants, fchownSync, openSync, statSync } from 'node:fs';
import { closeQuietly } from '../close.ts';
import type { Child } from '../library/places.ts';
import type { Depot } from './keeper.ts';
import type { Logger } from './logger.ts';
import { Status } from './ttrpc.ts';

/** Paths, or log URIs; '' for a stream that nobody wants. */
export interface Io {
  readonly stdin: string;
  readonly stdout: string;
  readonly stderr: string;
  /** Whether the process has a terminal, which stdin and stdout are copied to and from; stderr is then unused. */
  readonly terminal: boolean;
  /** The FIFOs' owner to be; 0 leaves it as it is. */
  readonly uid: number;
  readonly gid: number;
}

export interface ProcessStdio {
  /** The process's descriptors 0, 1 and 2. */
  readonly descriptors: readonly number[];
  /** Called when the process has been made. */
  take(child: Child): void;
  /** Called when the process has them, or will never get them. */
  closeTheirs(): void;
  closeInput(): void;
  /** @throws Status without a terminal */
  resize(columns: number, rows: number): void;
  /** Called when the process has ended. */
  finish(): void;
  /** Settles when the client can read all that the process has written. */
  drained(): Promise<void>;
  /** Called when the process is deleted. */
  release(): void;
}

const { O_RDONLY, O_WRONLY, O_RDWR, O_NONBLOCK, O_NOCTTY } = constants;
const kinds = ['stdin', 'stdout', 'stderr'] as const;

/** For a process without a terminal. */
export class FifoStdio implements ProcessStdio {
  readonly descriptors: readonly number[];
  readonly #depot: Depot;
  readonly #theirs: number[] = [];
  readonly #held: number[] = [];
  readonly #logger: Logger | undefined;
  #input: number | undefined;

  /**
   * @param isRunning whether an earlier engine has started the process: then only the shim's ends are needed
   * @param logger gets stdout and stderr, in place of FIFOs
   */
  constructor(io: Io, depot: Depot, isRunning: boolean, logger: Logger | undefined) {
    this.#depot = depot;
    this.#logger = logger;
    try {
      for (const kind of kinds) {
        if (kind !== 'stdin' && logger !== undefined) continue;
        if (!isRunning) this.#open(kind, io);
        else if (kind === 'stdin') this.#input = depot.take(kind);
        else this.#held.push(...[depot.take(kind)].filter((fd) => fd !== undefined));
      }
      const outputs = logger?.takeOutputs() ?? [];
      this.#theirs.push(...outputs);
      for (const fd of outputs) own(fd, io);
    } catch (error) {
      this.release();
      throw error;
    }
    this.descriptors = [...this.#theirs];
  }

  #open(kind: (typeof kinds)[number], io: Io): void {
    const path = io[kind];
    demandFifo(path);
    if (path === '') {
      this.#theirs.push(openSync('/dev/null', kind === 'stdin' ? O_RDONLY : O_WRONLY));
      return;
    }
    if (kind === 'stdin') {
      // Opened for both directions, because neither end may be open yet; the process's own end must be a blocking one.
      this.#input = openSync(path, O_RDWR | O_NONBLOCK | O_NOCTTY);
      this.#depot.store(kind, this.#input);
      this.#give(openSync(path, O_RDONLY | O_NOCTTY), io);
      return;
    }
    const held = openSync(path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    this.#held.push(held);
    this.#depot.store(kind, held);
    this.#give(openSync(path, O_WRONLY | O_NOCTTY), io);
  }

  #give(fd: number, io: Io): void {
    this.#theirs.push(fd);
    own(fd, io);
  }

  take({ terminal }: Child): void {
    // Images of a task that had one.
    if (terminal !== undefined) closeQuietly(terminal);
  }

  closeTheirs(): void {
    for (const fd of this.#theirs.splice(0)) closeSync(fd);
  }

  closeInput(): void {
    if (this.#input === undefined) return;
    this.#depot.drop('stdin');
    closeSync(this.#input);
    this.#input = undefined;
  }

  resize(): void {
    throw new Status('failedPrecondition', 'the process has no terminal');
  }

  finish(): void {}

  /** What a process has written is in the FIFO. */
  async drained(): Promise<void> {
    await this.#logger?.finish();
  }

  release(): void {
    this.closeInput();
    void this.#logger?.finish();
    this.#depot.dropAll();
    for (const fd of [...this.#theirs.splice(0), ...this.#held.splice(0)]) closeQuietly(fd);
  }
}

function own(fd: number, { uid, gid }: Io): void {
  if (uid !== 0 || gid !== 0) fchownSync(fd, uid, gid);
}

/** Anything else could block open(2), and with it all other containers. */
export function demandFifo(path: string): void {
  if (path === '') return;
  if (!statSync(path).isFIFO()) throw new Status('invalidArgument', `${path} is no FIFO`);
}
