/** Signals that interrupt a create or run: what has been made by then is undone. */
import { addon } from '../addon.ts';
import { TsrunError } from '../errors.ts';

const names: Readonly<Record<number, string>> = { 1: 'SIGHUP', 2: 'SIGINT', 15: 'SIGTERM' };

/** For a failure: the signal that caused it, if one has come; otherwise the error itself. */
export function orInterrupt(error: unknown): unknown {
  return interrupt() ?? error;
}

/** @throws TsrunError when a signal has come */
export function demandNoInterrupt(): void {
  const error = interrupt();
  if (error !== undefined) throw error;
}

function interrupt(): TsrunError | undefined {
  const signal = addon().interruptedBy();
  if (signal === 0) return undefined;
  return new TsrunError(`interrupted by ${names[signal]}, and undone`, { exitCode: 128 + signal });
}
