import { addon } from '../addon.ts';
import { errorCode } from '../errors.ts';
import { type Message, messageOf, messageSize, readMessage } from '../generated/messages.ts';
import { log } from '../log.ts';

export { messageSize, messageType, noOp } from '../generated/messages.ts';

export interface InitMessage extends Message {
  /** The descriptor that came with it, or -1. */
  fd: number;
}

/** Waits for init's next message; null when its end is closed. */
export function receiveFromInit(socket: number): InitMessage | null {
  const received = addon().receiveMessage(socket, messageSize);
  if (received === null || received === undefined) return null;
  const { data, size, fd } = received;
  if (size !== messageSize) throw new Error(`init sent a message of ${size} bytes`);
  return { ...readMessage(data), fd };
}

/** Tells an init that waits for start to wait for another start. If it cannot be told, it ends. */
export function sendWaitOn(socket: number): void {
  try {
    addon().sendMessage(socket, messageOf('waitOn'));
  } catch (error) {
    log('debug', `init cannot be told to wait on: ${errorCode(error)}`);
  }
}

/**
 * Lets init go on.
 *
 * @param fd a descriptor for it, or -1
 * @returns false when init has ended; its last message, or the end of file, can still be received
 */
export function sendContinue(socket: number, fd = -1): boolean {
  try {
    addon().sendMessage(socket, messageOf('continue'), fd);
    return true;
  } catch (error) {
    if (!['EPIPE', 'ECONNRESET'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    return false;
  }
}
