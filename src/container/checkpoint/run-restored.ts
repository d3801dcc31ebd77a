import { addon } from '../../addon.ts';
import { placeHook, runHook } from '../../run/ops/hook.ts';
import type { Created } from '../create.ts';
import { deleteContainer, deleteFailed } from '../delete.ts';
import { demandNoInterrupt, orInterrupt } from '../interrupts.ts';
import { hookState } from '../state.ts';

/**
 * Runs the poststart hooks of a restored container and, unless detached, waits for its end and deletes it.
 *
 * @returns the program's exit code, or 128 and the number of the signal that killed it
 */
export function runRestored({ directory, record, pidfd, terminal }: Created, detach: boolean): number {
  try {
    if (!detach) addon().holdSignals();
    record.hooks.poststart.forEach((hook, index) => {
      runHook(placeHook(hook, 'poststart', index), hookState(record, 'running'));
    });
    demandNoInterrupt();
  } catch (error) {
    addon().settleInterrupts(false);
    deleteFailed(directory);
    throw orInterrupt(error);
  }
  if (detach) {
    addon().settleInterrupts(true);
    return 0;
  }
  const status = addon().waitForeground(pidfd, terminal);
  deleteContainer(directory, { force: true }, record);
  return status.code ?? 128 + (status.signal ?? 0);
}
