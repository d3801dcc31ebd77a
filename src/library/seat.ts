/** A worker, and the job that it does. */
import { openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { SHARE_ENV, Worker } from 'node:worker_threads';
import { nodeAddon } from '../addon.ts';
import type { LogLevel } from '../log.ts';
import type { JobName } from './jobs.ts';
import type { WireError } from './wire.ts';

export interface Request {
  readonly number: number;
  readonly name: JobName;
  readonly args: unknown;
}

export type Reply =
  | { readonly ready: true }
  | { readonly log: readonly [LogLevel, string] }
  | { readonly number: number; readonly result: unknown }
  | { readonly number: number; readonly error: WireError };

/** What a worker gets when it starts. */
export interface WorkerData {
  /** Its end of the pipe that tells it to give up its job. */
  readonly interruptFd: number;
  readonly shared: Int32Array;
}

/** What is where in the memory that a worker and its maker share. */
export const sharedAt = {
  /** The number of the job to give up. */
  aborted: 0,
  /** The number of the job that it has been given and has not done; 0: none. */
  doing: 1,
} as const;

export interface Job extends Request {
  readonly signal: AbortSignal | undefined;
  settle(outcome: { result: unknown } | { error: unknown }): void;
}

export interface Seat {
  readonly worker: Worker;
  readonly shared: Int32Array;
  /** The pipe that tells the worker to give up its job. */
  readonly fds: readonly [number, number];
  /** Whether it has loaded its code. */
  ready: boolean;
  job: Job | undefined;
  /** When it did its last job, as performance.now() tells. */
  idleSince: number;
}

/**
 * Most memory of a worker's young objects, in MiB. A job drops nearly all that it makes, and by default the engine lets
 * 48 MiB of that pile up in each worker before it looks.
 */
const youngMiB = 2;

/** SIGTERM, which would tell a command to stop. */
const interruption = Buffer.from([15]);

/** Of the workers' program, once keepProgram has been called. */
let kept: number | undefined;

/**
 * From now on all workers run what their file is now. For a program that stays while another version of tsrun is
 * installed, whose workers would not understand this one.
 */
export function keepProgram(): void {
  kept = openSync(workerFile(), 'r');
}

function workerFile(): string {
  return join(__dirname, 'library-worker.cjs');
}

/** Does what Node does for a file of CommonJS. A worker that evaluates the program itself takes a quarter longer. */
function keptProgram(fd: number): string {
  const [directory, filename] = [__dirname, workerFile()].map((path) => JSON.stringify(path));
  return `const text = require('node:fs').readFileSync('/proc/self/fd/${fd}', 'utf8');
    const names = ['require', '__dirname'];
    require('node:vm').compileFunction(text, names, { filename: ${filename} })(require, ${directory});`;
}

/** Starts a worker. @throws Error what the kernel refuses, such as one more descriptor */
export function makeSeat(): Seat {
  const fds = nodeAddon().makePipe(true);
  try {
    return seatWith(fds);
  } catch (error) {
    closeAll(fds);
    throw error;
  }
}

function seatWith(fds: readonly [number, number]): Seat {
  const shared = new Int32Array(new SharedArrayBuffer(8));
  const worker = new Worker(kept === undefined ? workerFile() : keptProgram(kept), {
    eval: kept !== undefined,
    workerData: { interruptFd: fds[0], shared } satisfies WorkerData,
    // Hooks of the container may ask for the environment as it is then. Node's options, such as loaders, are for the
    // program's own code.
    env: SHARE_ENV,
    execArgv: [],
    resourceLimits: { maxYoungGenerationSizeMb: youngMiB },
    // Pidfds are passed between threads.
    trackUnmanagedFds: false,
    name: 'tsrun',
  });
  worker.once('exit', () => closeAll(fds));
  return { worker, shared, fds, ready: false, job: undefined, idleSince: performance.now() };
}

function closeAll(fds: readonly number[]): void {
  for (const fd of fds) nodeAddon().close(fd);
}

/** Has the worker begin a job. @throws Error for what cannot be sent, such as a function */
export function begin(seat: Seat, { number, name, args }: Request): void {
  Atomics.store(seat.shared, sharedAt.doing, number);
  try {
    seat.worker.postMessage({ number, name, args } satisfies Request);
  } catch (error) {
    Atomics.store(seat.shared, sharedAt.doing, 0);
    throw error;
  }
}

/** Tells the worker to give up this job, which it then undoes. */
export function interrupt({ fds, shared }: Seat, number: number): void {
  // In this order: a worker that sees the number also finds the byte, which is not left for its next job.
  writeSync(fds[1], interruption);
  Atomics.store(shared, sharedAt.aborted, number);
}

/** Blocks this thread until the worker has nothing to do, or for so many milliseconds. */
export function awaitIdle({ shared }: Seat, milliseconds: number): void {
  const doing = Atomics.load(shared, sharedAt.doing);
  if (doing !== 0) Atomics.wait(shared, sharedAt.doing, doing, milliseconds);
}

export function isIdle({ shared }: Seat): boolean {
  return Atomics.load(shared, sharedAt.doing) === 0;
}
