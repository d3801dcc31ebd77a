import { constants, openSync, writeSync } from 'node:fs';
import { constants as osConstants } from 'node:os';
import { closeQuietly } from './close.ts';
import { errorCode, systemHint } from './errors.ts';

const { O_APPEND, O_CREAT, O_NOCTTY, O_NONBLOCK, O_TRUNC, O_WRONLY } = constants;

/**
 * Opens a file that the command line names; makes it if it is missing. Does not wait for a fifo: without a reader
 * open(2) says ENXIO, and when it is full write(2) says EAGAIN.
 *
 * @throws the system's error
 */
export function openNamed(path: string, how: 'append' | 'truncate'): number {
  const more = how === 'append' ? O_APPEND : O_TRUNC;
  return openSync(path, O_WRONLY | O_CREAT | O_NONBLOCK | O_NOCTTY | more, 0o600);
}

/** A hint for a file that cannot be opened this way. */
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
 * Writes to an existing file of the kernel in one write(2), because the kernel acts on each write, and half a value
 * would be another one. Neither creates nor truncates: a cgroup refuses both with misleading errors.
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
 * Writes all of it. One write(2) may write only a part, at a limit or when space runs out, and only the next one says
 * why.
 *
 * @param position in the file; null: the present one
 * @throws the system's error
 */
export function writeWhole(fd: number, text: string, position: number | null = null): void {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; ) {
    at += writeSync(fd, bytes, at, bytes.length - at, position === null ? null : position + at);
  }
}
