import { constants, openSync, readSync } from 'node:fs';
import { closeQuietly } from '../close.ts';
import { errorCode } from '../errors.ts';

/** One message of the kernel's log (Documentation/ABI/testing/dev-kmsg). */
export interface KernelMessage {
  /** Microseconds since boot, in which a suspended machine does not count. */
  readonly time: number;
  /** What is no printable ASCII stands as \xNN there; here as the byte that it is. */
  readonly text: string;
}

/** More than any message with its properties has. */
const recordSize = 8192;

/** All that the kernel's buffer still holds, the oldest first; undefined where this user may not read it. */
export function readKernelLog(): KernelMessage[] | undefined {
  let fd: number;
  try {
    fd = openSync('/dev/kmsg', constants.O_RDONLY | constants.O_NONBLOCK);
  } catch {
    // Whoever asks then says that it cannot be told.
    return undefined;
  }
  const messages: KernelMessage[] = [];
  const buffer = Buffer.alloc(recordSize);
  try {
    for (;;) {
      const record = nextRecord(fd, buffer);
      if (record === undefined) return messages;
      const message = parseRecord(record);
      if (message !== undefined) messages.push(message);
    }
  } finally {
    closeQuietly(fd);
  }
}

/** Undefined at the end of the log (EAGAIN). */
function nextRecord(fd: number, buffer: Buffer): string | undefined {
  for (;;) {
    try {
      return buffer.toString('latin1', 0, readSync(fd, buffer, 0, recordSize, null));
    } catch (error) {
      // Overwritten before it could be read: the next read goes on with the oldest that is there.
      const code = errorCode(error);
      if (code === 'EPIPE') continue;
      if (code === 'EAGAIN') return undefined;
      throw error;
    }
  }
}

/** `PRIORITY,NUMBER,MICROSECONDS,FLAGS;TEXT`, and properties on lines of their own. */
export function parseRecord(record: string): KernelMessage | undefined {
  const [, time, text] = /^\d+,\d+,(\d+),[^;]*;([^\n]*)/.exec(record) ?? [];
  if (time === undefined || text === undefined) return undefined;
  const byte = (_: string, digits: string) => String.fromCharCode(Number.parseInt(digits, 16));
  return { time: Number(time), text: text.replace(/\\x([0-9a-f]{2})/g, byte) };
}
