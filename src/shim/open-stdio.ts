import { constants, openSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { closeQuietly } from '../close.ts';
import { errorCode } from '../errors.ts';
import type { Child } from '../library/places.ts';
import type { Depot } from './keeper.ts';
import { logUriOf } from './log-uri.ts';
import { Logger, type LogOwner } from './logger.ts';
import { demandFifo, FifoStdio, type Io, type ProcessStdio } from './stdio.ts';
import { TerminalStdio } from './terminal.ts';

const { O_WRONLY, O_NONBLOCK, O_NOCTTY } = constants;

/** Milliseconds to wait for who reads a stream. A client may also come later. */
const readerPatience = 1000;

/**
 * Waits for the readers first. containerd opens its ends in threads of their own: one that gets there when a short process
 * has ended would wait for a writer for ever, and whoever asked for the exec with it.
 *
 * @throws Status for paths and log URIs that cannot be used
 */
export async function openStdio(io: Io, depot: Depot, owner: LogOwner): Promise<ProcessStdio> {
  const uri = logUriOf(io);
  if (uri !== undefined) {
    const logger = await Logger.start(uri, owner, depot);
    return io.terminal ? new TerminalStdio(io, depot, logger) : new FifoStdio(io, depot, false, logger);
  }
  const paths = io.terminal ? [io.stdout] : [io.stdout, io.stderr];
  // Held until the process's own are open, so that a reader sees no end before the beginning.
  const writers = await Promise.all(paths.map(writerFor));
  try {
    return io.terminal ? new TerminalStdio(io, depot, undefined) : new FifoStdio(io, depot, false, undefined);
  } finally {
    for (const fd of writers) if (fd !== undefined) closeQuietly(fd);
  }
}

/** Has a process made with its stdio, which is released again if that fails. */
export async function withStdio<Result>(
  opening: Promise<ProcessStdio>,
  make: (stdio: ProcessStdio) => Promise<Result>,
): Promise<Result> {
  const stdio = await opening;
  try {
    return await make(stdio);
  } catch (error) {
    stdio.release();
    throw error;
  } finally {
    stdio.closeTheirs();
  }
}

/** A FIFO's end for writing, which can be had once somebody has the other or is about to. */
async function writerFor(path: string): Promise<number | undefined> {
  demandFifo(path);
  if (path === '') return undefined;
  for (const end = Date.now() + readerPatience; Date.now() < end; await sleep(2)) {
    try {
      return openSync(path, O_WRONLY | O_NONBLOCK | O_NOCTTY);
    } catch (error) {
      // Another error comes again, and with its words, where the stream is opened.
      if (errorCode(error) !== 'ENXIO') return undefined;
    }
  }
  return undefined;
}

/** For a process that an earlier engine has started. */
export function reopenStdio(io: Io, depot: Depot, child: Child): ProcessStdio {
  const logger = logUriOf(io) && Logger.resume(depot);
  if (!io.terminal) return new FifoStdio(io, depot, true, logger);
  const stdio = new TerminalStdio(io, depot, logger);
  const terminal = depot.take('master');
  if (terminal !== undefined) stdio.take({ ...child, terminal });
  stdio.closeTheirs();
  return stdio;
}
