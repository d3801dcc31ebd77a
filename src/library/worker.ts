/** A thread of the library's: runs jobs as commands would, one after another. */
import { readSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { nodeAddon } from '../addon.ts';
import { TsrunError } from '../errors.ts';
import { logInto } from '../log.ts';
import { runJobNow } from './jobs.ts';
import { type Reply, type Request, sharedAt, type WorkerData } from './seat.ts';
import { toWire } from './wire.ts';

const { interruptFd, shared } = workerData as WorkerData;

nodeAddon().interruptFrom(interruptFd);
logInto('info', (level, message) => post({ log: [level, message] }));
parentPort?.on('message', (request: Request) => {
  post(answer(request));
  // Only now: whoever waits for this may end the process.
  Atomics.store(shared, sharedAt.doing, 0);
  Atomics.notify(shared, sharedAt.doing);
});
post({ ready: true });

function post(reply: Reply): void {
  parentPort?.postMessage(reply);
}

function answer({ number, name, args }: Request): Reply {
  try {
    forget(number);
    return { number, result: runJobNow(name, args) };
  } catch (error) {
    return { number, error: toWire(error) };
  } finally {
    nodeAddon().settleInterrupts(false);
  }
}

/**
 * Forgets a message for an earlier job that came too late.
 *
 * @throws TsrunError when this job is to be given up
 */
function forget(number: number): void {
  const late = Atomics.exchange(shared, sharedAt.aborted, 0);
  if (late === 0) return;
  drain();
  if (late === number) throw new TsrunError('aborted');
}

function drain(): void {
  try {
    readSync(interruptFd, Buffer.alloc(1));
  } catch {
    // The job's own wait has read it.
  }
}
