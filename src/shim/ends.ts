/** Waits for the end of a process: a child of this engine, or one that an earlier engine has started. */
import { closeSync } from 'node:fs';
import { addon, nodeAddon } from '../addon.ts';
import { exitStatus } from '../container/exit.ts';
import type { ContainerExit } from '../container/record.ts';
import type { Child, Identity, Place } from '../library/places.ts';
import { runJob } from '../library/pool.ts';
import { watchOnce } from '../library/watch.ts';
import { SIGKILL } from '../linux/signals.ts';
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

/**
 * How a child has ended, which stays to be reaped: not before that has been written down, as this engine may be killed.
 */
export async function childExit(child: Child): Promise<ContainerExit> {
  // Not ended for this process is one that a debugger still has.
  return exitStatus(nodeAddon().peekExit(child.pidfd, false) ?? (await runJob('awaitExit', child)));
}

/** Does not wait: childExit has. */
export function reapChild({ pidfd }: Child): void {
  addon().reap(pidfd);
  closeSync(pidfd);
}

/** How a process that is no child has ended; undefined if nothing can tell. */
export async function adoptedExit({ pidfd, identity }: Child, ledger: Ledger): Promise<ContainerExit | undefined> {
  if (identity === undefined) return undefined;
  const exit = await runJob('adoptedExit', { identity, pidfd });
  return exit ?? ledger.exitOf(identity);
}

/** How a task's process has ended, a child of this engine; it is reaped, and the container's record says it. */
export function endOfTask({ pidfd }: Child, place: Place): Promise<ContainerExit> {
  return runJob('finish', { ...place, pidfd, keep: true, alone: true });
}

/** The same for one of an earlier engine's. */
export async function adoptedEndOfTask(child: Child, place: Place, ledger: Ledger): Promise<ContainerExit> {
  // What outlives init without its own pid namespace.
  await runJob('kill', { ...place, signal: SIGKILL, all: false }).catch(() => undefined);
  const seen = await adoptedExit(child, ledger);
  // The earlier engine may have recorded it.
  const exit = seen ?? (await runJob('ended', { ...place, pidfd: undefined }));
  return exit === undefined ? {} : runJob('record', { ...place, exit });
}
