/** What is done when this process exits, or the worker of it that uses the library: nothing is left half done. */
import { nodeAddon } from '../addon.ts';
import { errorCode } from '../errors.ts';
import { SIGKILL } from '../linux/signals.ts';
import type { JobArguments, JobName, SpawnJob } from './jobs.ts';

/** A job that a worker is to do before this process is gone. */
export interface LastJob<Name extends JobName = JobName> {
  readonly name: Name;
  readonly args: JobArguments<Name>;
}

/** The processes that must not outlive this one, by their pidfds; and the job that removes what was made for each. */
const ours = new Map<number, LastJob>();

/** Has this process killed when this one exits. @returns a function that takes this back, before the pidfd is closed */
export function endsAtExit(pidfd: number, remove: LastJob): () => void {
  ours.set(pidfd, remove);
  return () => ours.delete(pidfd);
}

/** Kills them. @returns the jobs to do afterwards */
export function killOurs(): LastJob[] {
  for (const pidfd of ours.keys()) killQuietly(pidfd);
  return [...ours.values()];
}

/** Jobs of which an exit makes as little as possible: they undo what they have made, or end their waits. */
const interruptible: readonly JobName[] = ['create', 'spawn', 'start', 'exec', 'delete'];

export function isInterruptible(name: JobName): boolean {
  return interruptible.includes(name);
}

/**
 * What is to be done for a job that a worker has, or that waits for one: a program may just have been started, with
 * nobody told, and one that has ended is still to be removed.
 */
export function afterwards({ name, args }: { name: JobName; args: unknown }): LastJob[] {
  if (name === 'finish') return [{ name, args: args as JobArguments<'finish'> }];
  if (name !== 'spawn') return [];
  const { root, id, detached } = args as SpawnJob;
  return detached ? [] : [{ name: 'delete', args: { root, id, force: true } satisfies JobArguments<'delete'> }];
}

/** One that cannot be killed, such as one that has ended, is no reason to spare the others. */
function killQuietly(pidfd: number): void {
  try {
    nodeAddon().pidfdSignal(pidfd, SIGKILL);
  } catch (error) {
    if (errorCode(error) !== 'ESRCH') process.emitWarning((error as Error).message, 'TsrunWarning');
  }
}
