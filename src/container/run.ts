import { addon } from '../addon.ts';
import type { Created } from './create.ts';
import { deleteContainer } from './delete.ts';
import { startContainer } from './start.ts';

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
export function runCreated({ directory, pidfd, terminal }: Created, { detach, keep }: RunOptions): number {
  try {
    startContainer(directory);
  } catch (error) {
    deleteContainer(directory, { force: true });
    throw error;
  }
  if (detach) return 0;
  const { code, signal } = addon().waitForeground(pidfd, terminal);
  if (!keep) deleteContainer(directory, { force: true });
  return code ?? 128 + (signal ?? 0);
}
