/**
 * Runs the runtime's own functions, which block, on threads beside the event loop: one job a worker at a time, in the
 * order in which they come.
 */
import { closeSync, writeSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { SHARE_ENV, Worker } from 'node:worker_threads';
import { nodeAddon } from '../addon.ts';
import { TsrunError } from '../errors.ts';
import type { LogLevel } from '../log.ts';
import type { JobArguments, JobName, JobResult } from './jobs.ts';
import { tellLog } from './log.ts';
import { abortError, fromWire, type WireError } from './wire.ts';

/** Beyond the first ones, workers are made for jobs that wait for those: a hook may take its time. */
const firstWorkers = Math.min(4, availableParallelism());
const mostWorkers = 32;
const patienceMs = 20;

/** SIGTERM, which is how a command would be told. */
const interrupt = Buffer.from([15]);

export interface Request {
  readonly number: number;
  readonly name: JobName;
  readonly args: unknown;
}

export type Reply =
  | { readonly log: readonly [LogLevel, string] }
  | { readonly number: number; readonly result: unknown }
  | { readonly number: number; readonly error: WireError };

/** What a worker is started with. */
export interface WorkerData {
  /** The end of its pipe on which it is told to give its job up. */
  readonly interruptFd: number;
  /** The number of the job that is to be given up. */
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
  job: Job | undefined;
}

const seats: Seat[] = [];
const queue: Job[] = [];
let jobs = 0;
let growing: NodeJS.Timeout | undefined;

/**
 * Has a worker run a job.
 *
 * @throws TsrunError what the job throws, or ABORT_ERR: a job that has begun is undone before, where it can be
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
  Atomics.store(seat.aborted, 0, job.number);
  writeSync(seat.fds[1], interrupt);
}

function seatJobs(): void {
  for (let [first] = queue; first !== undefined; [first] = queue) {
    const seat = seats.find(({ job }) => job === undefined) ?? (seats.length < firstWorkers ? addSeat() : undefined);
    if (seat === undefined) {
      if (growing === undefined && seats.length < mostWorkers) growing = setTimeout(grow, patienceMs, first);
      return;
    }
    queue.shift();
    give(seat, first);
  }
}

/** Nobody has got up meanwhile. */
function grow(first: Job): void {
  growing = undefined;
  if (queue[0] === first && seats.length < mostWorkers) addSeat();
  seatJobs();
}

function give(seat: Seat, job: Job): void {
  seat.job = job;
  seat.worker.ref();
  const { number, name, args } = job;
  seat.worker.postMessage({ number, name, args } satisfies Request);
}

function addSeat(): Seat {
  const fds = nodeAddon().makePipe(true);
  const aborted = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(new URL('./library-worker.mjs', import.meta.url), {
    workerData: { interruptFd: fds[0], aborted } satisfies WorkerData,
    // Hooks of the container may ask for it, as it is then. Options of node, such as loaders, are for the program's own code.
    env: SHARE_ENV,
    execArgv: [],
    // Pidfds go from thread to thread.
    trackUnmanagedFds: false,
    name: 'tsrun',
  });
  const seat: Seat = { worker, aborted, fds, job: undefined };
  worker.on('message', (reply: Reply) => take(seat, reply));
  worker.on('error', (error) => lose(seat, error));
  worker.on('exit', () => lose(seat, new Error('the worker has ended')));
  worker.unref();
  seats.push(seat);
  return seat;
}

function take(seat: Seat, reply: Reply): void {
  if ('log' in reply) return tellLog(...reply.log);
  const { job } = seat;
  if (job === undefined) return;
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
  seat.job?.settle({ error: new TsrunError(`internal error: ${error.message}`, { cause: error }) });
  seatJobs();
}
