import { closeSync } from 'node:fs';

/**
 * Closes a descriptor that was only held, or has been read to its end. An error of close(2) is ignored: Linux frees the
 * descriptor even then, and nothing is lost.
 */
export function closeQuietly(fd: number): void {
  try {
    closeSync(fd);
  } catch {
    // See above.
  }
}
