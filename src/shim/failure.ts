/** Errors as containerd's own shim words those of runc; callers look for these words. */
import { TsrunError } from '../errors.ts';
import { Status } from './ttrpc.ts';

export function worded(verb: string, error: unknown): unknown {
  if (error instanceof Status) return error;
  const text = error instanceof TsrunError ? error.asLine : (error as Error).message;
  return new Error(`OCI runtime ${verb} failed: ${text}`);
}

export function isOver(): Status {
  return new Status('notFound', 'process already finished');
}
