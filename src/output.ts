import { writeSync } from 'node:fs';

/** Writes to stdout. Not process.stdout: its streams take longer to load than most commands to run. */
export function print(text: string): void {
  writeAll(1, text);
}

/** Writes to stderr. */
export function printError(text: string): void {
  writeAll(2, text);
}

function writeAll(fd: number, text: string): void {
  let rest = Buffer.from(text);
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(fd, rest));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // A pipe that somebody made non-blocking and that is full: wait for its reader.
      if (code === 'EAGAIN') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
      // Nobody reads any more (`tsrun list | head`): there is no one to tell either.
      else if (code === 'EPIPE' || code === 'EBADF') return;
      else throw error;
    }
  }
}
