/** Errors as containerd's own shim words those of runc; callers look for these words. */
import { TsrunError } from '../errors.ts';
import { Status } from './ttrpc.ts';

export function worded(verb: string, error: unknown): unknown {
  if (error instanceof Status) return error;
  const text = textOf(verb, error);
  return new Error(`OCI runtime ${verb} failed: ${text}`);
}

function textOf(verb: string, error: unknown): string {
  if (!(error instanceof TsrunError)) return (error as Error).message;
  return error.code === 'ABORT_ERR' ? `the container was ended before its ${verb} was over` : error.asLine;
}

export function isOver(): Status {
  return new Status('notFound', 'process already finished');
}
