import { addon } from '../../addon.ts';
import { releaseWarnings } from '../../log.ts';
import type { Created } from '../create.ts';
import { deleteContainer, deleteFailed } from '../delete.ts';
import { demandNoInterrupt, orInterrupt } from '../interrupts.ts';
import { runPoststartHooks } from '../start.ts';

/**
 * Runs the poststart hooks of a restored container and, unless detached, waits for its end and deletes it.
 *
 * @returns the program's exit code, or 128 and the number of the signal that killed it
 */
export function runRestored({ directory, record, pidfd, terminal, source }: Created, detach: boolean): number {
  runPoststartHooks(directory, record, () => source);
  if (!detach) {
    releaseWarnings();
    const status = addon().waitForeground(pidfd, terminal);
    deleteContainer(directory, { force: true }, record);
    return status.code ?? 128 + (status.signal ?? 0);
  }
  try {
    demandNoInterrupt();
  } catch (error) {
    deleteFailed(directory);
    throw orInterrupt(error);
  }
  addon().settleInterrupts(true);
  return 0;
}
