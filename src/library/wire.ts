/** Errors on their way from a worker: structured cloning keeps little more of an error than its message. */
import { asTsrunError, type ErrorFinding, type ErrorPlace, TsrunError } from '../errors.ts';

/** All parts of a TsrunError. */
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
  /** Only for a defect. */
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

/** A config's error is about the first problem with it. The text is left out, as it may be long. */
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

/** The error for a call that its caller has aborted. @param undone what went wrong meanwhile, or in undoing it */
export function abortError(signal: AbortSignal | undefined, undone?: unknown): TsrunError {
  const cause = signal?.reason ?? undone;
  const error = new TsrunError('the operation was aborted', { code: 'ABORT_ERR', cause });
  // Node's own abort errors are known by this name, and by the code.
  error.name = 'AbortError';
  return error;
}
