import { FifoStdio, type Io, type ProcessStdio } from './stdio.ts';
import { TerminalStdio } from './terminal.ts';

/** @throws Status for paths that cannot be used */
export function openStdio(io: Io): ProcessStdio {
  return io.terminal ? new TerminalStdio(io) : new FifoStdio(io);
}
