/** A program in a container, with the interface that child_process has for one on the host. */
import { EventEmitter } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { nodeAddon } from '../addon.ts';
import type { ContainerExit } from '../container/record.ts';
import { errorCode, type TsrunError } from '../errors.ts';
import { parseSignal, signalName } from '../linux/signals.ts';
import { orTsrunError } from './arguments.ts';
import { endsAtExit, type LastJob } from './at-exit.ts';
import type { Child } from './places.ts';
import type { OpenedStdio } from './stdio.ts';
import { holdProcess, watchOnce } from './watch.ts';
import { abortError } from './wire.ts';

/** How a program, or a container, has ended: `code`, or `signal` if one has killed it. */
export interface Exit {
  readonly code: number | null;
  readonly signal: string | null;
  /**
   * Whether the kernel killed a process of it because memory ran out; undefined if no memory controller counts that,
   * null if it can no longer be found out.
   */
  readonly oomKilled?: boolean | null | undefined;
}

/** How a program that this process has started has ended. */
export interface ProcessExit extends Exit {
  /** Whether it was killed because its time was over. */
  readonly timedOut: boolean;
}

export function exitFrom({ code, signal, oomKilled }: ContainerExit): Exit {
  const name = signal === undefined ? null : (signalName(signal) ?? `SIGRTMIN+${signal - 34}`);
  return { code: code ?? null, signal: name, ...(oomKilled !== undefined && { oomKilled }) };
}

/** The parts of a process. */
export interface ProcessParts {
  readonly stdio: OpenedStdio;
  /** Starts it. When `signal` is aborted, what this has made is undone. */
  launch(signal: AbortSignal): Promise<Child>;
  /** Reaps it, and removes what was made for it. */
  finish(child: Child): Promise<ContainerExit>;
  readonly signal: AbortSignal | undefined;
  /** Milliseconds; 0 or Infinity: no timeout. */
  readonly timeout: number;
  /** What is done for it when this process exits, after it has been killed; undefined: it lives on. */
  atExit?(child: Child): LastJob;
}

/**
 * Events: `spawn` when the program runs; `exit` (code, signal) when it has ended and nothing of it is left; `close`
 * (code, signal) when its output has ended, too; `error` when it could not be started or was aborted: as with any
 * emitter, it is thrown where nothing listens, unless wait() has been called and rejects.
 */
export class ContainerProcess extends EventEmitter {
  readonly stdin: Writable | null;
  readonly stdout: Readable | null;
  readonly stderr: Readable | null;
  /** Pid on the host; undefined before `spawn`. */
  pid: number | undefined;
  exitCode: number | null = null;
  signalCode: string | null = null;
  /** Whether kill() has sent a signal. */
  killed = false;
  readonly #parts: ProcessParts;
  readonly #giveUp = new AbortController();
  readonly #exit: Promise<ProcessExit>;
  #pidfd = -1;
  /** Whether a caller gets to know a failure from wait(). */
  #isAwaited = false;
  /** Takes back that it ends with this process. */
  #spare = () => {};
  #timedOut = false;
  /** The signal that made this process give up while it was still starting. */
  #killedBy = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: ProcessParts) {
    super();
    this.#parts = parts;
    const { stdin, stdout, stderr } = parts.stdio;
    this.stdin = stdin;
    this.stdout = stdout;
    this.stderr = stderr;
    // A program that has ended reads no more; that is not the caller's error.
    stdin?.on('error', () => undefined);
    this.#exit = this.#run();
    // Callers that do not wait() have the event.
    this.#exit.catch(() => undefined);
  }

  /**
   * Waits until the program has ended and nothing of it is left.
   *
   * @throws TsrunError when it could not be started, or was aborted
   */
  wait(): Promise<ProcessExit> {
    this.#isAwaited = true;
    return this.#exit;
  }

  /**
   * Sends a signal to the program. SIGKILL ends everything in a container made by spawn. A program that is still being
   * started is given up.
   *
   * @param signal a name, such as `TERM` or `SIGTERM`, or a number
   * @returns whether there was a program to signal
   */
  kill(signal: string | number = 'SIGTERM'): boolean {
    const number = parseSignal(String(signal));
    if (this.#pidfd < 0) {
      if (this.pid !== undefined || this.#giveUp.signal.aborted) return false;
      this.#killedBy = number;
      this.killed = true;
      this.#giveUp.abort();
      return true;
    }
    try {
      nodeAddon().pidfdSignal(this.#pidfd, number);
      this.killed = true;
      return true;
    } catch (error) {
      if (errorCode(error) === 'ESRCH') return false;
      throw orTsrunError(error);
    }
  }

  /** Kills the program, and waits until nothing of it is left. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isAwaited = true;
    this.kill('SIGKILL');
    await this.#exit.catch(() => undefined);
  }

  async #run(): Promise<ProcessExit> {
    let release = () => {};
    const { signal, timeout } = this.#parts;
    const abort = () => {
      this.#giveUp.abort();
      this.kill('SIGKILL');
    };
    signal?.addEventListener('abort', abort, { once: true });
    if (timeout > 0 && timeout < Number.POSITIVE_INFINITY) this.#timer = setTimeout(() => this.#overdue(), timeout);
    try {
      release = holdProcess();
      if (signal?.aborted) this.#giveUp.abort();
      return await this.#live();
    } catch (error) {
      this.#parts.stdio.discard();
      // Not within the call that made the process: it could have no listener yet. If nobody is told, this throws, as in
      // child_process.
      process.nextTick(() => {
        if (!this.#isAwaited || this.listenerCount('error') > 0) this.emit('error', error);
      });
      throw error;
    } finally {
      clearTimeout(this.#timer);
      signal?.removeEventListener('abort', abort);
      release();
    }
  }

  async #live(): Promise<ProcessExit> {
    const child = await this.#launch();
    if (child === undefined) return this.#tellEnd({ signal: this.#killedBy });
    const ended = new Promise<void>((resolve) => watchOnce(child.pidfd, resolve));
    this.#pidfd = child.pidfd;
    if (this.#parts.atExit !== undefined) this.#spare = endsAtExit(child.pidfd, this.#parts.atExit(child));
    this.pid = child.pid;
    // What a listener throws must not keep the end from being seen.
    process.nextTick(() => this.emit('spawn'));
    if (this.#giveUp.signal.aborted) this.kill('SIGKILL');
    await ended.catch((error) => this.#unseen(child, error));
    this.#forgetPidfd();
    return this.#tellEnd(await this.#parts.finish(child));
  }

  /** Its end cannot be seen: killed, it ends at once, and a worker waits for that. */
  async #unseen(child: Child, error: unknown): Promise<never> {
    this.kill('SIGKILL');
    this.#forgetPidfd();
    await this.#parts.finish(child);
    throw error;
  }

  /** From now on the number may belong to another descriptor. */
  #forgetPidfd(): void {
    this.#pidfd = -1;
    this.#spare();
  }

  #tellEnd(end: ContainerExit): ProcessExit {
    const exit = { ...exitFrom(end), timedOut: this.#timedOut };
    this.exitCode = exit.code;
    this.signalCode = exit.signal;
    if (this.#parts.signal?.aborted) throw abortError(this.#parts.signal);
    process.nextTick(() => this.emit('exit', exit.code, exit.signal));
    this.#closeLater(exit);
    return exit;
  }

  /** Undefined if kill() came first. */
  async #launch(): Promise<Child | undefined> {
    try {
      return await this.#parts.launch(this.#giveUp.signal);
    } catch (error) {
      if (this.#parts.signal?.aborted) throw abortError(this.#parts.signal, error);
      if (this.#killedBy === 0 || (error as TsrunError).code !== 'ABORT_ERR') throw error;
      return undefined;
    } finally {
      this.#parts.stdio.closeTheirs();
    }
  }

  #overdue(): void {
    this.#timedOut = this.kill('SIGKILL');
  }

  #closeLater({ code, signal }: Exit): void {
    this.stdin?.destroy();
    const open = [this.stdout, this.stderr].filter((stream) => stream !== null && !stream.closed) as Readable[];
    let left = open.length;
    const close = () => this.emit('close', code, signal);
    if (left === 0) process.nextTick(close);
    for (const stream of open) stream.once('close', () => --left === 0 && close());
    // As in child_process, output that nobody wants holds nothing up, and no descriptor; who has waited may still read.
    setImmediate(() => {
      for (const stream of open.filter(isUnread)) stream.resume();
    });
  }
}

function isUnread(stream: Readable): boolean {
  return stream.readableFlowing === null && stream.listenerCount('readable') === 0;
}
