import type { Child } from '../library/places.ts';
import type { Depot } from './keeper.ts';
import { FifoStdio, type Io, type ProcessStdio } from './stdio.ts';
import { TerminalStdio } from './terminal.ts';

/** @throws Status for paths that cannot be used */
export function openStdio(io: Io, depot: Depot): ProcessStdio {
  return io.terminal ? new TerminalStdio(io, depot) : new FifoStdio(io, depot, false);
}

/** For a process that an earlier engine has started. */
export function reopenStdio(io: Io, depot: Depot, child: Child): ProcessStdio {
  if (!io.terminal) return new FifoStdio(io, depot, true);
  const stdio = new TerminalStdio(io, depot);
  const terminal = depot.take('master');
  if (terminal !== undefined) stdio.take({ ...child, terminal });
  stdio.closeTheirs();
  return stdio;
}
