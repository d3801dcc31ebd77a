/** Errors on their way from a worker: structured cloning keeps of an error its message and little more. */
import { asTsrunError, type ErrorFinding, type ErrorPlace, TsrunError } from '../errors.ts';

/** All that a TsrunError is made of. */
export interface WireError {
  readonly message: string;
  readonly text: string;
  readonly code: string;
  readonly errno: number | undefined;
  readonly op: string | undefined;
  readonly hint: string | undefined;
  readonly pointer: string | undefined;
  readonly exitCode: number;
  readonly place: ErrorPlace | undefined;
  readonly findings: readonly ErrorFinding[];
  /** Of what can only be a defect. */
  readonly stack: string | undefined;
}

export function toWire(error: unknown): WireError {
  const known = asTsrunError(error);
  if (known === undefined) {
    const { message, stack } = error instanceof Error ? error : new Error(String(error));
    return { ...toWire(new TsrunError(`internal error: ${message}`)), stack };
  }
  const { message, text, code, errno, op, hint, exitCode, findings } = known;
  const { pointer, place } = firstFound(known);
  return { message, text, code, errno, op, hint, pointer, exitCode, place, findings, stack: undefined };
}

/** A config's error is about the first thing that is wrong with it. The text stays here: it may be long. */
function firstFound({ pointer, place, findings, ...rest }: TsrunError): Pick<WireError, 'pointer' | 'place'> {
  const [first] = findings;
  const { source } = rest as { source?: { path: string } };
  if (first !== undefined && source !== undefined) {
    return { pointer: first.pointer, place: { path: source.path, text: '', line: first.line, column: first.column } };
  }
  return { pointer, place: place && { ...place, text: '' } };
}

export function fromWire({ message, stack, ...rest }: WireError): TsrunError {
  const error = Object.assign(new TsrunError(message), rest);
  if (stack !== undefined) error.stack = stack;
  return error;
}

/** Of what its caller has given up. @param undone what went wrong while that was undone, or because of it */
export function abortError(signal: AbortSignal | undefined, undone?: unknown): TsrunError {
  const cause = signal?.reason ?? undone;
  const error = new TsrunError('the operation was aborted', { code: 'ABORT_ERR', cause });
  // By this name, and its code, Node's own are told.
  error.name = 'AbortError';
  return error;
}
