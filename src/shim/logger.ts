/**
 * The program that gets what a process writes, for log URIs: the URI's own, or for a file a small copier, so that neither
 * the container has the file itself, nor the event loop waits for its disk. The process writes to the program's pipes
 * directly, so both go on without this engine.
 */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { constants, readSync } from 'node:fs';
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { addon, nodeAddon } from '../addon.ts';
import { closeQuietly } from '../close.ts';
import { watchOnce } from '../library/watch.ts';
import { SIGKILL, SIGTERM } from '../linux/signals.ts';
import { namesIn } from '../there.ts';
import type { Depot } from './keeper.ts';
import type { LogUri } from './log-uri.ts';
import { keeperProgram } from './programs.ts';
import { secondsFrom } from './seconds.ts';
import { Status } from './ttrpc.ts';
import { within } from './within.ts';

/** In seconds: until it must have said that it is ready. */
const readyPatience = secondsFrom('TSRUN_SHIM_LOG_SECONDS', 1, 60);
/** In milliseconds: until it must have ended after the end of its input, or is sent SIGTERM; and then until it gets SIGKILL. */
const endPatience = 2000;
const termPatience = 10_000;

/** Whose output it is; of a process of Exec's the id is exec's, as with containerd's own shim. */
export interface LogOwner {
  readonly id: string;
  readonly namespace: string;
}

/** How a logger is started. */
interface Program {
  readonly path: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly file: FileHandle | undefined;
}

export class Logger {
  readonly #depot: Depot;
  readonly #pidfd: number;
  readonly #ended: Promise<void>;
  #finished: Promise<void> | undefined;
  readonly #outputs: number[];

  private constructor(depot: Depot, pidfd: number, outputs: number[]) {
    this.#depot = depot;
    this.#pidfd = pidfd;
    this.#outputs = outputs;
    this.#ended = new Promise((resolve) => watchOnce(pidfd, resolve));
  }

  /** @throws Status if it does not start, or ends before it is ready */
  static async start(uri: LogUri, owner: LogOwner, depot: Depot): Promise<Logger> {
    const program = await programOf(uri);
    // Each is the reading end, and the one to write to.
    const pipes = [0, 1, 2].map(() => nodeAddon().makePipe(false));
    const [out, err, ready] = pipes as [[number, number], [number, number], [number, number]];
    const theirs = [out[0], err[0], ready[1]];
    const outputs = [out[1], err[1]];
    let logger: Logger | undefined;
    try {
      const child = await launch(program, owner, theirs).finally(() => closeAll(...theirs));
      const pidfd = addon().pidfdOpen(child.pid as number);
      depot.store('logger', pidfd);
      logger = new Logger(depot, pidfd, outputs);
      await logger.#ready(child, program.path, ready[0]);
      return logger;
    } catch (error) {
      closeAll(...outputs.splice(0));
      void logger?.finish();
      throw error;
    } finally {
      closeAll(ready[0]);
      await program.file?.close();
    }
  }

  /** The one that an earlier engine has started. */
  static resume(depot: Depot): Logger | undefined {
    const pidfd = depot.take('logger');
    return pidfd === undefined ? undefined : new Logger(depot, pidfd, []);
  }

  async #ready(child: ChildProcess, path: string, fd: number): Promise<void> {
    let stop: () => void = () => undefined;
    const told = new Promise<void>((resolve) => {
      stop = watchOnce(fd, resolve);
    });
    if (!(await within(readyPatience * 1000, told))) {
      stop();
      this.#send(SIGKILL);
      throw new Status('failedPrecondition', notReady(path));
    }
    // It may also just close the descriptor. The end of the program closes it, too, after it has lost all of them.
    if (readSync(fd, Buffer.alloc(1)) === 1 || hasDescriptors(child.pid as number)) return;
    // A daemon of its own would have left children that have them.
    const { exitCode: code, signalCode: signal } = await exited(child);
    if (code === 0) return;
    const how = signal === null ? `with code ${code}` : `by ${signal}`;
    throw new Status('failedPrecondition', `the log program ${path} ended ${how} before it was ready`);
  }

  /** Ends for writing: of stdout, and of stderr; none for one of an earlier engine. Whoever takes them closes them. */
  takeOutputs(): number[] {
    return this.#outputs.splice(0);
  }

  /** Waits until it has ended, as it should at the end of its input; a stubborn one is made to. */
  finish(): Promise<void> {
    closeAll(...this.takeOutputs());
    this.#finished ??= this.#finish();
    return this.#finished;
  }

  async #finish(): Promise<void> {
    if (!(await within(endPatience, this.#ended))) {
      this.#send(SIGTERM);
      if (!(await within(termPatience, this.#ended))) this.#send(SIGKILL);
      await this.#ended;
    }
    this.#depot.drop('logger');
    closeQuietly(this.#pidfd);
  }

  #send(signal: number): void {
    try {
      nodeAddon().pidfdSignal(this.#pidfd, signal);
    } catch {
      // It has ended.
    }
  }
}

/** Opens the file, without which nothing needs to be started. */
async function programOf(uri: LogUri): Promise<Program> {
  if (uri.kind === 'binary') return { ...uri, file: undefined };
  const { path } = uri;
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o755 });
    const { O_WRONLY, O_APPEND, O_CREAT, O_NONBLOCK, O_NOCTTY } = constants;
    const file = await open(path, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_NOCTTY, 0o644);
    const stat = await file.stat();
    if (stat.isFile() || stat.isCharacterDevice()) {
      return { path: keeperProgram(), args: ['log'], env: {}, file };
    }
    await file.close();
  } catch (error) {
    throw new Status('invalidArgument', `log file ${path}: ${(error as Error).message}`);
  }
  throw new Status('invalidArgument', `log file ${path}: no regular file`);
}

/** The descriptors become 3, 4 and 5. */
async function launch(program: Program, { id, namespace }: LogOwner, descriptors: number[]): Promise<ChildProcess> {
  const { path, args, env, file } = program;
  // Loaded where it is used: most engines never start a logger.
  const { spawn } = await import('node:child_process');
  const child = spawn(path, args, {
    cwd: '/',
    env: { ...env, CONTAINER_ID: id, CONTAINER_NAMESPACE: namespace },
    stdio: ['ignore', file?.fd ?? 'ignore', 'ignore', ...descriptors],
  });
  if (child.pid !== undefined) return child;
  const [error] = (await once(child, 'error')) as [Error];
  throw new Status('failedPrecondition', `cannot start the log program ${path}: ${error.message}`);
}

function notReady(path: string): string {
  return `the log program ${path} did not say within ${readyPatience} s that it is ready: by a byte to 5, or closing it`;
}

/** A process that is ending has given up its descriptors before anybody can see one of them closed. */
function hasDescriptors(pid: number): boolean {
  return namesIn(`/proc/${pid}/fd`).length > 0;
}

async function exited(child: ChildProcess): Promise<ChildProcess> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return child;
}

function closeAll(...descriptors: number[]): void {
  for (const fd of descriptors) closeQuietly(fd);
}
