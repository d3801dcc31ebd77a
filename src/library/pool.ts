/**
 * Runs the runtime's own functions, which block, on threads beside the event loop. Each worker does one job at a time,
 * and jobs start in the order in which they come.
 */
import { availableParallelism } from 'node:os';
import { errorCode, TsrunError } from '../errors.ts';
import { invalidArgument, orTsrunError } from './arguments.ts';
import { afterwards, isInterruptible, killOurs, type LastJob } from './at-exit.ts';
import type { JobArguments, JobName, JobResult } from './jobs.ts';
import { tellLog } from './log.ts';
import { awaitIdle, begin, interrupt, isIdle, type Job, makeSeat, type Reply, type Seat } from './seat.ts';
import { abortError, fromWire } from './wire.ts';

/**
 * Workers for as many jobs as the CPUs can do at a time. There are more only while these wait for something else, such
 * as a hook or another command's lock: one more would merely take a part of a busy CPU.
 */
const firstWorkers = Math.min(4, availableParallelism());
const mostWorkers = 32;
/** For how long no job ends before another worker is made. */
const patienceMs = 100;
/** After so long without a job, a worker that is more than the first ones ends. */
const idleMs = 5000;
/** How long the exit of this process may wait for jobs that are to be undone. */
const exitMs = 5000;

/** Workers that stay although there is nothing to do. */
let kept = firstWorkers;
/** After so long without a job, none does. */
let restMs = Number.POSITIVE_INFINITY;
/** Called when there has been nothing to do for a while, and again when there are no workers any more. */
let whenIdle: (() => void) | undefined;
const seats: Seat[] = [];
const queue: Job[] = [];
let jobs = 0;
let ended = 0;
let growing: NodeJS.Timeout | undefined;
let shrinking: NodeJS.Timeout | undefined;
let isWatchingExit = false;
/** What has been given back since the last job. */
let saved: 'nothing' | 'garbage' | 'all' = 'nothing';

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

/**
 * For a program that stays for long, and often has nothing to do for a while. Its workers then end: soon all but one, and
 * that one, which holds most of the memory but takes a while to start, after `rest` milliseconds.
 *
 * @param then called each time
 */
export function saveMemory(rest: number, then: () => void): void {
  kept = 1;
  restMs = rest;
  whenIdle = then;
}

/** Makes a worker, if there is none, for a job that is about to come. */
export function expectJob(): void {
  if (seats.length > 0) return;
  hasWork();
  tryToAddSeat();
  shrinkLater();
}

function hasWork(): void {
  saved = 'nothing';
  clearTimeout(shrinking);
  shrinking = undefined;
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
  interrupt(seat, job.number);
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
  try {
    begin(seat, job);
  } catch (error) {
    // Such as a function in a config.
    return job.settle({ error: invalidArgument((error as Error).message, 'pass plain values only') });
  }
  seat.job = job;
  if (saved !== 'nothing' && job.name !== 'collect') hasWork();
  seat.worker.ref();
}

function addSeat(): Seat {
  const seat = makeSeat();
  seat.worker.on('message', (reply: Reply) => take(seat, reply));
  seat.worker.on('error', (error) => lose(seat, error));
  seat.worker.on('exit', () => lose(seat, new Error('the worker has ended')));
  seat.worker.unref();
  seats.push(seat);
  if (!isWatchingExit) process.once('exit', leaveNothing);
  isWatchingExit = true;
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
  if (job.name !== 'collect') seat.idleSince = performance.now();
  seat.worker.unref();
  if ('result' in reply) job.settle(reply);
  else
    job.settle({ error: job.signal?.aborted ? abortError(job.signal, fromWire(reply.error)) : fromWire(reply.error) });
  seatJobs();
  shrinkLater();
}

function shrinkLater(): void {
  const delay = shrinkDelay();
  // Nothing is kept alive to end threads that end with it anyway.
  if (shrinking === undefined && delay !== undefined) shrinking = setTimeout(shrink, delay).unref();
}

function shrinkDelay(): number | undefined {
  if (seats.length > kept || (whenIdle !== undefined && saved === 'nothing')) return idleMs / 4;
  return saved === 'garbage' && seats.length > 0 && Number.isFinite(restMs) ? restMs : undefined;
}

/** Ends workers that have had no job for a while: those that were made for jobs that waited, and later all. */
function shrink(): void {
  shrinking = undefined;
  const idle = idleFor(idleMs);
  const isRest = saved === 'garbage' && idleFor(restMs).length === seats.length;
  const isAllIdle = idle.length === seats.length;
  // Jobs go to the first.
  const surplus = idle.reverse().slice(0, Math.max(0, seats.length - (isRest ? 0 : kept)));
  for (const seat of surplus) seats.splice(seats.indexOf(seat), 1);
  const ends = Promise.all(surplus.map(({ worker }) => worker.terminate()));
  if (whenIdle !== undefined && isAllIdle && (saved === 'nothing' || isRest)) {
    saved = isRest ? 'all' : 'garbage';
    void ends.then(collect).then(whenIdle);
  }
  shrinkLater();
}

function idleFor(milliseconds: number): Seat[] {
  const before = performance.now() - milliseconds;
  return seats.filter(({ ready, job, idleSince }) => ready && job === undefined && idleSince <= before);
}

async function collect(): Promise<void> {
  if (seats.length > 0) await runJob('collect', undefined);
}

function lose(seat: Seat, error: Error): void {
  const at = seats.indexOf(seat);
  if (at < 0) return;
  seats.splice(at, 1);
  const isMissing = errorCode(error) === 'MODULE_NOT_FOUND';
  const hint = isMissing
    ? 'do not bundle tsrun into one file with your program: its own files belong together'
    : undefined;
  seat.job?.settle({ error: new TsrunError(`internal error: ${error.message}`, { hint, cause: error }) });
  seatJobs();
}

/** At this process's exit: undoes what workers are at, and kills and removes what must not outlive this process. */
function leaveNothing(): void {
  const last = performance.now() + exitMs;
  const left = () => Math.max(0, last - performance.now());
  const busy = seats.filter(({ job }) => job !== undefined && !changesNothing(job.name));
  const begun = busy.flatMap(({ job }) => (job?.name === 'spawn' ? [job] : []));
  const waiting = queue.filter(({ name }) => name === 'finish');
  const removals = [...killOurs(), ...[...begun, ...waiting].flatMap(afterwards)];
  for (const seat of busy)
    if (seat.job !== undefined && isInterruptible(seat.job.name)) interrupt(seat, seat.job.number);
  for (const seat of busy) awaitIdle(seat, left());
  while (removals.length > 0 && left() > 0) {
    const idle = seats.filter(isIdle);
    if (idle.length === 0) return;
    for (const seat of idle) doLast(seat, removals.shift());
    for (const seat of idle) awaitIdle(seat, left());
  }
}

function doLast(seat: Seat, job: LastJob | undefined): void {
  if (job !== undefined) begin(seat, { number: ++jobs, ...job });
}
