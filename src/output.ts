import { writeSync } from 'node:fs';
import { errorCode, systemHint, TsrunError } from './errors.ts';

/**
 * Writes to stdout. Does not use process.stdout, whose streams take longer to load than most commands to run.
 *
 * @throws TsrunError
 */
export function print(text: string): void {
  try {
    writeAll(1, text);
  } catch (error) {
    throw new TsrunError(`cannot write to stdout: ${errorCode(error)}`, { hint: systemHint(error) });
  }
}

/** Writes to stderr; if that fails, nothing else can report it. */
export function printError(text: string): void {
  try {
    writeAll(2, text);
  } catch {
    // The command goes on, and its exit code tells how it ended.
  }
}

function writeAll(fd: number, text: string): void {
  let rest = Buffer.from(text);
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(fd, rest));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // Another program has made the pipe non-blocking, and it is full: wait for its reader.
      if (code === 'EAGAIN') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
      // The reader has gone (`tsrun list | head`), so there is no one to tell.
      else if (code === 'EPIPE' || code === 'EBADF') return;
      else throw error;
    }
  }
}
