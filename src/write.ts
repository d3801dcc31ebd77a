import { constants, openSync, writeSync } from 'node:fs';
import { constants as osConstants } from 'node:os';
import { closeQuietly } from './close.ts';
import { errorCode, systemHint } from './errors.ts';

const { O_APPEND, O_CREAT, O_NOCTTY, O_NONBLOCK, O_TRUNC, O_WRONLY } = constants;

/**
 * Opens a file that the command line names, and makes it where it is missing. No fifo is waited for: one that nobody reads
 * is ENXIO, and one that is full EAGAIN of write(2).
 *
 * @throws the system's error
 */
export function openNamed(path: string, how: 'append' | 'truncate'): number {
  const more = how === 'append' ? O_APPEND : O_TRUNC;
  return openSync(path, O_WRONLY | O_CREAT | O_NONBLOCK | O_NOCTTY | more, 0o600);
}

/** Of a file that cannot be opened so. */
export function openingHint(error: unknown): string | undefined {
  switch (errorCode(error)) {
    case 'ENXIO':
      return 'nobody reads this fifo';
    case 'ENOENT':
      return 'tsrun makes the file if it is missing, but not its directory';
    case 'EISDIR':
      return 'it is a directory: name a file in it';
    default:
      return systemHint(error);
  }
}

/**
 * Writes to a file of the kernel that is there already, each write of which it carries out: half of a value would be
 * another one. Neither creates nor truncates: in a cgroup both are refused with misleading words.
 *
 * @throws the system's error
 */
export function writeAtOnce(path: string, text: string): void {
  const fd = openSync(path, constants.O_WRONLY);
  try {
    const bytes = Buffer.from(text);
    const written = writeSync(fd, bytes);
    if (written !== bytes.length) throw shortWrite(path, written, bytes.length);
  } finally {
    closeQuietly(fd);
  }
}

function shortWrite(path: string, written: number, length: number): NodeJS.ErrnoException {
  const words = `EIO: the kernel took ${written} of ${length} bytes, write '${path}'`;
  return Object.assign(new Error(words), { code: 'EIO', errno: -osConstants.errno.EIO, syscall: 'write', path });
}

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
