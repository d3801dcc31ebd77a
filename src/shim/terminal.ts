/**
 * A process's terminal: passes on what the process writes to it, and what the client writes for it. The event loop waits
 * for neither; a client that does not read stops only its own process, as a full terminal does.
 */
import { closeSync, constants, openSync } from 'node:fs';
import { Socket } from 'node:net';
import { ReadStream } from 'node:tty';
import { nodeAddon } from '../addon.ts';
import { closeQuietly } from '../close.ts';
import type { Child } from '../library/places.ts';
import type { Depot } from './keeper.ts';
import type { Logger } from './logger.ts';
import { demandFifo, type Io, type ProcessStdio } from './stdio.ts';
import { within } from './within.ts';

const { O_RDONLY, O_WRONLY, O_RDWR, O_NONBLOCK, O_NOCTTY } = constants;

/** Milliseconds for which the output of an ended process waits for its reader; containerd's own shim waits as long. */
const patience = 10_000;

export class TerminalStdio implements ProcessStdio {
  readonly descriptors: readonly number[];
  readonly #depot: Depot;
  readonly #theirs: number[] = [];
  /** Ends of the FIFOs, held so that a reader or a writer may leave and come back. */
  readonly #held: number[] = [];
  readonly #input: Socket | undefined;
  readonly #output: Socket | undefined;
  readonly #logger: Logger | undefined;
  /** The shim's own end for writing to stdin, until CloseIO. */
  #inputHolder: number | undefined;
  #master: ReadStream | undefined;
  #masterFd = -1;
  /** Held until the process has ended, as the master reports an error while nothing has this end open. */
  #peer: number | undefined;
  #drained = Promise.resolve();

  /** @param logger gets the output, in place of a FIFO */
  constructor({ stdin, stdout }: Io, depot: Depot, logger: Logger | undefined) {
    this.#depot = depot;
    this.#logger = logger;
    try {
      demandFifo(stdin);
      if (logger === undefined) demandFifo(stdout);
      // The process gets its terminal in place of these.
      for (let fd = 0; fd < 3; fd++) this.#theirs.push(openSync('/dev/null', O_RDWR));
      this.descriptors = [...this.#theirs];
      if (stdin !== '') {
        // A client that writes while nobody has this end gives up.
        const fd = depot.take('input') ?? openSync(stdin, O_RDONLY | O_NONBLOCK | O_NOCTTY);
        depot.store('input', fd);
        this.#input = new Socket({ fd, readable: true, writable: false });
        this.#inputHolder = depot.take('stdin') ?? openSync(stdin, O_WRONLY | O_NONBLOCK | O_NOCTTY);
        depot.store('stdin', this.#inputHolder);
      }
      if (logger !== undefined) {
        this.#output = this.#outputTo(logger);
      } else if (stdout !== '') {
        const held = depot.take('stdout') ?? openSync(stdout, O_RDONLY | O_NONBLOCK | O_NOCTTY);
        this.#held.push(held);
        depot.store('stdout', held);
        // Its client takes the end of the last writer for the end of the output.
        const fd = depot.take('output') ?? openSync(stdout, O_WRONLY | O_NONBLOCK | O_NOCTTY);
        depot.store('output', fd);
        this.#output = new Socket({ fd, readable: false, writable: true });
      }
    } catch (error) {
      this.release();
      throw error;
    }
  }

  /** The keeper holds the pipe, too, so that its program sees no end while there is no engine. */
  #outputTo(logger: Logger): Socket | undefined {
    const [fd = this.#depot.take('log'), stderr] = logger.takeOutputs();
    if (stderr !== undefined) closeQuietly(stderr);
    if (fd === undefined) return undefined;
    this.#depot.store('log', fd);
    return new Socket({ fd, readable: false, writable: true });
  }

  take({ terminal }: Child): void {
    if (terminal === undefined) throw new Error('the process has no terminal, although it was to get one');
    const master = new ReadStream(terminal);
    this.#master = master;
    this.#masterFd = terminal;
    this.#drained = new Promise((resolve) => {
      master.once('close', () => {
        this.#masterFd = -1;
        this.#endStreams(resolve);
      });
    });
    // EIO: the last end of the other side is closed.
    master.on('error', () => master.destroy());
    this.#peer = this.#depot.take('peer') ?? nodeAddon().openPeer(terminal);
    this.#depot.store('master', terminal);
    this.#depot.store('peer', this.#peer);
    if (this.#output === undefined) master.resume();
    else {
      this.#output.on('error', () => master.resume());
      master.pipe(this.#output, { end: false });
    }
    this.#input?.on('error', () => undefined);
    this.#input?.pipe(master, { end: false });
    // Only after CloseIO, as the shim itself holds the FIFO open: containerd's own shim hangs up then, too.
    this.#input?.once('end', () => master.destroy());
  }

  /** Nothing more can come, or be taken. */
  #endStreams(done: () => void): void {
    for (const kind of ['input', 'output']) this.#depot.drop(kind);
    this.#input?.destroy();
    if (this.#output === undefined || this.#output.destroyed) done();
    else this.#output.end(done);
  }

  closeTheirs(): void {
    for (const fd of this.#theirs.splice(0)) closeSync(fd);
  }

  closeInput(): void {
    if (this.#inputHolder === undefined) return;
    this.#depot.drop('stdin');
    closeSync(this.#inputHolder);
    this.#inputHolder = undefined;
  }

  resize(columns: number, rows: number): void {
    if (this.#masterFd >= 0) nodeAddon().resizeTerminal(this.#masterFd, columns, rows);
  }

  finish(): void {
    // An earlier engine has passed all of its output on.
    if (this.#master === undefined) this.#endStreams(() => undefined);
    if (this.#peer === undefined) return;
    this.#depot.drop('peer');
    closeQuietly(this.#peer);
    this.#peer = undefined;
  }

  async drained(): Promise<void> {
    await within(patience, this.#drained);
    this.#depot.drop('log');
    await this.#logger?.finish();
  }

  release(): void {
    this.finish();
    this.closeInput();
    this.closeTheirs();
    this.#depot.dropAll();
    void this.#logger?.finish();
    for (const fd of this.#held.splice(0)) closeQuietly(fd);
    for (const stream of [this.#input, this.#output, this.#master]) stream?.destroy();
  }
}
