import { constants, openSync, readSync } from 'node:fs';
import { closeQuietly } from '../close.ts';
import { errorCode } from '../errors.ts';

/** One message of the kernel's log (Documentation/ABI/testing/dev-kmsg). */
export interface KernelMessage {
  /** Microseconds since boot, without the time that the machine was suspended. */
  readonly time: number;
  /** The log writes bytes that are not printable ASCII as \xNN; this text has the bytes themselves. */
  readonly text: string;
}

/** Larger than any message with its properties. */
const recordSize = 8192;

/** All messages still in the kernel's buffer, oldest first; undefined if this user may not read it. */
export function readKernelLog(): KernelMessage[] | undefined {
  let fd: number;
  try {
    fd = openSync('/dev/kmsg', constants.O_RDONLY | constants.O_NONBLOCK);
  } catch {
    // The caller then says that this cannot be found out.
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
      // The message was overwritten before it could be read; the next read goes on with the oldest one left.
      const code = errorCode(error);
      if (code === 'EPIPE') continue;
      if (code === 'EAGAIN') return undefined;
      throw error;
    }
  }
}

/** `PRIORITY,NUMBER,MICROSECONDS,FLAGS;TEXT`, followed by lines with properties. */
export function parseRecord(record: string): KernelMessage | undefined {
  const [, time, text] = /^\d+,\d+,(\d+),[^;]*;([^\n]*)/.exec(record) ?? [];
  if (time === undefined || text === undefined) return undefined;
  const byte = (_: string, digits: string) => String.fromCharCode(Number.parseInt(digits, 16));
  return { time: Number(time), text: text.replace(/\\x([0-9a-f]{2})/g, byte) };
}
