import { writeSync } from 'node:fs';

/**
 * Writes all of it: one write(2) may take less, at a limit or at the end of the space, and only the next one says why.
 *
 * @param position in the file; null: where it stands
 * @throws the system's error
 */
export function writeWhole(fd: number, text: string, position: number | null = null): void {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; ) {
    at += writeSync(fd, bytes, at, bytes.length - at, position === null ? null : position + at);
  }
}
