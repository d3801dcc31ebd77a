/**
 * Runs the runtime's own functions, which block, on threads beside the event loop. Each worker does one job at a time,
 * and jobs start in the order in which they come.
 */
import { closeSync, writeSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { SHARE_ENV, Worker } from 'node:worker_threads';
import { nodeAddon } from '../addon.ts';
import { errorCode, TsrunError } from '../errors.ts';
import type { LogLevel } from '../log.ts';
import { invalidArgument, orTsrunError } from './arguments.ts';
import type { JobArguments, JobName, JobResult } from './jobs.ts';
import { tellLog } from './log.ts';
import { abortError, fromWire, type WireError } from './wire.ts';

/**
 * Workers for as many jobs as the CPUs can do at a time. There are more only while these wait for something else, such
 * as a hook or another command's lock: one more would merely take a part of a busy CPU.
 */
const firstWorkers = Math.min(4, availableParallelism());
const mostWorkers = 32;
/** For how long no job ends before another worker is made. */
const patienceMs = 100;

/** SIGTERM, which would tell a command to stop. */
const interrupt = Buffer.from([15]);

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
  /** The number of the job to give up. */
  readonly aborted: Int32Array;
}

interface Job extends Request {
  readonly signal: AbortSignal | undefined;
  settle(outcome: { result: unknown } | { error: unknown }): void;
}

interface Seat {
  readonly worker: Worker;
  readonly aborted: Int32Array;
  readonly fds: readonly [number, number];
  /** Whether it has loaded its code. */
  ready: boolean;
  job: Job | undefined;
}

const seats: Seat[] = [];
const queue: Job[] = [];
let jobs = 0;
let ended = 0;
let growing: NodeJS.Timeout | undefined;

/**
 * Has a worker run a job.
 *
 * @throws TsrunError what the job throws, or ABORT_ERR; a job that has begun is undone first, if possible
 */
export function runJob<Name extends JobName>(
  name: Name,
  args: JobArguments<Name>,
  signal?: AbortSignal,
): Promise<JobResult<Name>> {
  if (signal?.aborted) return Promise.reject(abortError(signal));
  return new Promise((resolve, reject) => {
    const abort = () => giveUp(job);
    const job: Job = {
      number: ++jobs,
      name,
      args,
      signal,
      settle(outcome) {
        signal?.removeEventListener('abort', abort);
        if ('result' in outcome) resolve(outcome.result as JobResult<Name>);
        else reject(outcome.error);
      },
    };
    signal?.addEventListener('abort', abort, { once: true });
    queue.push(job);
    seatJobs();
  });
}

function giveUp(job: Job): void {
  const waiting = queue.indexOf(job);
  if (waiting >= 0) {
    queue.splice(waiting, 1);
    return job.settle({ error: abortError(job.signal) });
  }
  const seat = seats.find((each) => each.job === job);
  if (seat === undefined) return;
  // There is nothing to undo. The worker goes on, and nobody looks at its answer.
  if (changesNothing(job.name)) return job.settle({ error: abortError(job.signal) });
  // In this order: a worker that sees the number also finds the byte, which is not left for its next job.
  writeSync(seat.fds[1], interrupt);
  Atomics.store(seat.aborted, 0, job.number);
}

function seatJobs(): void {
  for (let [first] = queue; first !== undefined; [first] = queue) {
    try {
      const seat = seats.find(({ job }) => job === undefined) ?? (seats.length < firstWorkers ? addSeat() : undefined);
      if (seat === undefined) return growLater();
      queue.shift();
      give(seat, first);
    } catch (error) {
      // No worker can be made, but others will get to this job.
      if (seats.length > 0) return;
      queue.shift();
      first.settle({ error: orTsrunError(error) });
    }
  }
}

const questions: readonly JobName[] = ['state', 'list', 'plan', 'check', 'spec', 'features', 'stats', 'ps', 'look'];

function changesNothing(name: JobName): boolean {
  return questions.includes(name);
}

function growLater(): void {
  if (growing === undefined && seats.length < mostWorkers) growing = setTimeout(grow, patienceMs, ended);
}

/** Makes another worker, unless a job has ended meanwhile, or a worker that was just made is still starting. */
function grow(before: number): void {
  growing = undefined;
  if (queue.length > 0 && ended === before && seats.every(({ ready }) => ready)) tryToAddSeat();
  seatJobs();
}

function tryToAddSeat(): void {
  try {
    addSeat();
  } catch {
    // The jobs wait for the workers that there are.
  }
}

function give(seat: Seat, job: Job): void {
  const { number, name, args } = job;
  try {
    seat.worker.postMessage({ number, name, args } satisfies Request);
  } catch (error) {
    // Such as a function in a config.
    return job.settle({ error: invalidArgument((error as Error).message, 'pass plain values only') });
  }
  seat.job = job;
  seat.worker.ref();
}

function addSeat(): Seat {
  const fds = nodeAddon().makePipe(true);
  try {
    return addSeatWith(fds);
  } catch (error) {
    for (const fd of fds) closeSync(fd);
    throw error;
  }
}

function addSeatWith(fds: readonly [number, number]): Seat {
  const aborted = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(new URL('./library-worker.mjs', import.meta.url), {
    workerData: { interruptFd: fds[0], aborted } satisfies WorkerData,
    // Hooks of the container may ask for the environment as it is then. Node's options, such as loaders, are for the
    // program's own code.
    env: SHARE_ENV,
    execArgv: [],
    // Pidfds are passed between threads.
    trackUnmanagedFds: false,
    name: 'tsrun',
  });
  const seat: Seat = { worker, aborted, fds, ready: false, job: undefined };
  worker.on('message', (reply: Reply) => take(seat, reply));
  worker.on('error', (error) => lose(seat, error));
  worker.on('exit', () => lose(seat, new Error('the worker has ended')));
  worker.unref();
  seats.push(seat);
  return seat;
}

function take(seat: Seat, reply: Reply): void {
  if ('log' in reply) return tellLog(...reply.log);
  if ('ready' in reply) {
    seat.ready = true;
    return;
  }
  const { job } = seat;
  if (job === undefined) return;
  ended++;
  seat.job = undefined;
  seat.worker.unref();
  if ('result' in reply) job.settle(reply);
  else
    job.settle({ error: job.signal?.aborted ? abortError(job.signal, fromWire(reply.error)) : fromWire(reply.error) });
  seatJobs();
}

function lose(seat: Seat, error: Error): void {
  const at = seats.indexOf(seat);
  if (at < 0) return;
  seats.splice(at, 1);
  for (const fd of seat.fds) closeSync(fd);
  const isMissing = errorCode(error) === 'ERR_MODULE_NOT_FOUND';
  const hint = isMissing
    ? 'do not bundle tsrun into one file with your program: its own files belong together'
    : undefined;
  seat.job?.settle({ error: new TsrunError(`internal error: ${error.message}`, { hint, cause: error }) });
  seatJobs();
}
