import { basename, dirname, resolve } from 'node:path';
import { addon } from '../addon.ts';
import { closeQuietly } from '../close.ts';
import { TsrunError } from '../errors.ts';

/**
 * Checks that the other end of a terminal has a holder, which is a console socket or this command itself. The words are
 * runc's.
 */
export function checkConsole(terminal: boolean, detached: boolean, consoleSocket: string | undefined): void {
  if (terminal && detached && consoleSocket === undefined) {
    throw new TsrunError('cannot allocate tty if tsrun will detach without setting console socket', {
      pointer: '/process/terminal',
      hint: 'pass --console-socket, or set /process/terminal to false',
    });
  }
  if (consoleSocket !== undefined && (!detached || !terminal)) {
    throw new TsrunError('cannot use console socket if tsrun will not detach or allocate tty', {
      pointer: terminal ? undefined : '/process/terminal',
      hint: terminal ? 'leave --console-socket out in the foreground' : 'set /process/terminal to true',
    });
  }
}

/**
 * Sends a descriptor over a stream socket as callers of runc expect it: in one message with the text `payload`. The
 * socket is then closed.
 *
 * @param about the option or property that names the socket
 */
export function sendDescriptor(socketPath: string, payload: string, fd: number, about: string): void {
  const path = resolve(socketPath);
  let socket: number;
  try {
    socket = addon().connect(dirname(path), basename(path), true);
  } catch (error) {
    throw new TsrunError(`cannot connect to ${path}: ${(error as NodeJS.ErrnoException).code}`, {
      about,
      hint: 'it must be a listening SOCK_STREAM Unix socket',
    });
  }
  try {
    addon().sendMessage(socket, Buffer.from(payload), fd);
  } finally {
    closeQuietly(socket);
  }
}
