import { addon } from '../addon.ts';
import { errorCode } from '../errors.ts';
import { log } from '../log.ts';

/** MessageType of addon/common/message.h. */
export const messageType = {
  error: 1,
  sync: 2,
  descriptor: 3,
  started: 4,
  pid: 5,
  continue: 6,
  notice: 7,
  waitOn: 8,
} as const;

/** sizeof(Message) there. */
export const messageSize = 512;

export interface InitMessage {
  type: number;
  opIndex: number;
  /** errno, positive. */
  error: number;
  value: number;
  detail: string;
  /** A descriptor that came with it, or -1. */
  fd: number;
}

/** Waits for init's next message; null when its end is closed. */
export function receiveFromInit(socket: number): InitMessage | null {
  const received = addon().receiveMessage(socket, messageSize);
  if (received === null || received === undefined) return null;
  const { data, size, fd } = received;
  if (size !== messageSize) throw new Error(`init sent a message of ${size} bytes`);
  const end = data.indexOf(0, 16);
  return {
    type: data.readUInt32LE(0),
    opIndex: data.readUInt32LE(4),
    error: data.readInt32LE(8),
    value: data.readUInt32LE(12),
    detail: data.toString('utf8', 16, end < 0 ? messageSize : end),
    fd,
  };
}

/** In opIndex: what failed was before init's first op. */
export const noOp = 0xffffffff;

/** Has an init that waits for start wait for another one; when that cannot be said, it ends. */
export function sendWaitOn(socket: number): void {
  const bytes = Buffer.alloc(16);
  bytes.writeUInt32LE(messageType.waitOn, 0);
  try {
    addon().sendMessage(socket, bytes);
  } catch (error) {
    log('debug', `init cannot be told to wait on: ${errorCode(error)}`);
  }
}

/**
 * Lets init go on.
 *
 * @param fd a descriptor for it, or -1
 * @returns false when init has ended: what it said before is still to be received, or the end of file
 */
export function sendContinue(socket: number, fd = -1): boolean {
  const bytes = Buffer.alloc(16);
  bytes.writeUInt32LE(messageType.continue, 0);
  try {
    addon().sendMessage(socket, bytes, fd);
    return true;
  } catch (error) {
    if (!['EPIPE', 'ECONNRESET'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    return false;
  }
}
