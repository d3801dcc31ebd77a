import { closeSync } from 'node:fs';

/**
 * For what was only held or has been read to its end: Linux gives the descriptor up even where close(2) says an error, and
 * nothing is lost by it.
 */
export function closeQuietly(fd: number): void {
  try {
    closeSync(fd);
  } catch {
    // See above.
  }
}
