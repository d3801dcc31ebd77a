/** Waits for the end of a process: a child of this engine, or one that an earlier engine has started. */
import type { ContainerExit } from '../container/record.ts';
import { processStat } from '../host/processes.ts';
import type { Child, Identity } from '../library/places.ts';
import { runJob } from '../library/pool.ts';
import { watchOnce } from '../library/watch.ts';
import type { Ledger } from './ledger.ts';

/** A process of an earlier engine's; -1: it has ended. */
export async function adopt(identity: Identity): Promise<Child> {
  return { pid: identity.pid, pidfd: (await runJob('adopt', identity)) ?? -1, identity };
}

/** @returns when it ended, in milliseconds since 1970; now, if that was before this engine's start */
export async function ended({ pidfd }: Child): Promise<number> {
  if (pidfd >= 0) await new Promise<void>((resolve) => watchOnce(pidfd, resolve));
  return Date.now();
}

/** Notes how a child has ended before it is reaped: this engine may be killed after that, and before the task's file. */
export function noteEnd({ pid, identity }: Child, ledger: Ledger): void {
  const stat = processStat(pid);
  if (identity !== undefined && stat?.state === 'Z') ledger.noteExit(identity, stat.waitStatus);
}

/** How a process that is no child has ended; undefined if nothing can tell. */
export async function adoptedExit({ pidfd, identity }: Child, ledger: Ledger): Promise<ContainerExit | undefined> {
  if (identity === undefined) return undefined;
  const exit = await runJob('adoptedExit', { identity, pidfd });
  return exit ?? ledger.exitOf(identity);
}
