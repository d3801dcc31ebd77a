import { closeQuietly } from '../close.ts';
import type { Op } from '../generated/ops.ts';
import { logFinding } from '../log.ts';
import { describeNotice, initFailed } from './failures/failure.ts';
import { type InitMessage, messageType, noOp, receiveFromInit, sendContinue } from './message.ts';

/** How a command handles init's messages. A message without a handler is one that init must not send. */
export interface Answers {
  /**
   * The op that a message is about, which must be one of init's.
   *
   * @throws Error for any other op
   */
  opOf(index: number): Op;
  /** Takes the runtime's turn at this op. @returns whether init now waits for start */
  turn?(index: number): boolean;
  /** Called when init goes on in a child, whose pid the message has. */
  forked?(message: InitMessage): void;
  /** Called with a terminal's master, and the name of its slave inside the container. */
  terminal?(fd: number, name: string): void;
  /** Called with a seccomp listener; init goes on when this returns. */
  listener(fd: number): void;
}

/**
 * How a conversation ends: an op failed, init waits for start, or init closed its end (by execve, if it got that far).
 */
export type Ending =
  | { readonly how: 'failed'; readonly op: Op; readonly message: InitMessage }
  | { readonly how: 'waiting' }
  | { readonly how: 'closed'; readonly atExecve: boolean };

/** Answers init's messages one by one; create, start and exec all use this loop. */
export function converse(socket: number, answers: Answers): Ending {
  const kept: number[] = [];
  try {
    return conversation(socket, answers, kept);
  } finally {
    for (const fd of kept) closeQuietly(fd);
  }
}

/** @param kept gets the descriptors that are to be closed at the end */
function conversation(socket: number, answers: Answers, kept: number[]): Ending {
  let atExecve = false;
  for (;;) {
    const message = receiveFromInit(socket);
    if (message === null) return { how: 'closed', atExecve };
    switch (message.type) {
      case messageType.error:
        if (message.opIndex === noOp) throw initFailed(message);
        return { how: 'failed', op: answers.opOf(message.opIndex), message };
      case messageType.notice:
        // Only info: the kernel refused this caller something, which is usual for such a caller.
        logNotice(answers.opOf(message.opIndex), message);
        break;
      case messageType.descriptor:
        takeDescriptor(socket, answers, message);
        break;
      case messageType.started:
        atExecve = true;
        // Init's private procfs, which it need not close itself then.
        if (message.fd >= 0) kept.push(message.fd);
        break;
      case messageType.pid:
        if (answers.forked === undefined) throw unexpected(message);
        answers.forked(message);
        break;
      case messageType.sync:
        if (answers.turn === undefined) throw unexpected(message);
        if (answers.turn(message.opIndex)) return { how: 'waiting' };
        break;
      default:
        throw unexpected(message);
    }
  }
}

function logNotice(op: Op, message: InitMessage): void {
  const text = describeNotice(op, message);
  const pointer = op.from.startsWith('/') ? op.from : '';
  logFinding('info', { pointer, message: pointer === '' ? `${op.from}: ${text}` : text });
}

function takeDescriptor(socket: number, answers: Answers, { opIndex, fd, detail }: InitMessage): void {
  const { op } = answers.opOf(opIndex);
  if (fd >= 0 && op === 'make-console' && answers.terminal !== undefined) return answers.terminal(fd, detail);
  // A startContainer hook loads its own filter.
  const loadsFilter = op === 'load-seccomp' || op === 'run-container-hook';
  if (fd < 0 || !loadsFilter) throw new Error(`init sends no descriptor in ${op}`);
  answers.listener(fd);
  sendContinue(socket);
}

function unexpected({ type }: InitMessage): Error {
  return new Error(`init sends a message of type ${type}`);
}
