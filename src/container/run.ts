import { addon, type ExitStatus } from '../addon.ts';
import { closeQuietly } from '../close.ts';
import { logError, releaseWarnings } from '../log.ts';
import { reportTrace } from '../run/trace.ts';
import type { Created } from './create.ts';
import { deleteContainer, deleteFailed } from './delete.ts';
import { demandNoInterrupt, orInterrupt } from './interrupts.ts';
import { type NotifyRelay, openNotifyRelay } from './notify.ts';
import { wasOomKilled } from './oom.ts';
import type { ContainerExit } from './record.ts';
import { startCreated } from './start.ts';
import type { ContainerDirectory } from './store.ts';

export interface RunOptions {
  /** Leave the container running. */
  detach: boolean;
  /** Leave the stopped container's state for delete. */
  keep: boolean;
}

/**
 * Starts a created container and, unless detached, waits for its end.
 *
 * @returns the program's exit code, or 128 and the number of the signal that killed it
 */
export function runCreated(
  { directory, record, pidfd, terminal, source, socket }: Created,
  { detach, keep }: RunOptions,
): number {
  let notify: NotifyRelay | undefined;
  try {
    notify = openNotifyRelay(directory, socket >= 0);
    if (!detach) addon().holdSignals();
    startCreated(directory, record, () => source, socket);
    if (detach) demandNoInterrupt();
  } catch (error) {
    addon().settleInterrupts(false);
    deleteFailed(directory);
    throw orInterrupt(error);
  }
  // Now, because the container may run for days.
  reportTrace();
  releaseWarnings();
  if (detach) {
    addon().settleInterrupts(true);
    notify?.waitForReady();
    return 0;
  }
  notify?.runBeside();
  const status = addon().waitForeground(pidfd, terminal);
  notify?.finish();
  tidyUp(() => {
    if (keep) recordExit(directory, status);
    else deleteContainer(directory, { force: true }, record);
  });
  return status.code ?? 128 + (status.signal ?? 0);
}

/** Only logs a failure: the program's exit code says more than that its container cannot be removed. */
function tidyUp(action: () => void): void {
  try {
    action();
  } catch (error) {
    logError('error', error);
  }
}

/** For `tsrun wait`: only this process can ask the kernel. Another command may have deleted the container by now. */
export function recordExit(directory: ContainerDirectory, status: ExitStatus): ContainerExit | undefined {
  const lock = directory.openIfThere();
  if (lock === undefined) return undefined;
  try {
    addon().lock(lock, true);
    const record = directory.isAt(lock) ? directory.readIfThere() : undefined;
    if (record === undefined) return undefined;
    const oomKilled = wasOomKilled(record);
    const exit = { ...status, ...(oomKilled !== undefined && { oomKilled }) };
    directory.write({ ...record, exit });
    return exit;
  } finally {
    closeQuietly(lock);
  }
}
