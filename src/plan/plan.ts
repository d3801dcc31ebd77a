import type { Op, RuntimeOp } from '../generated/ops.ts';

/**
 * What a create or exec will do: plain data, in order. Where init's and the runtime's ops alternate, addon/napi/plan.cc
 * makes them wait for each other.
 */
export interface Plan {
  readonly ops: readonly Op[];
  /** Findings that do not stop the container, for the log; `notes` has those that are usual on this host. */
  readonly warnings: readonly Warning[];
  readonly notes: readonly Warning[];
}

export interface Warning {
  /** JSON pointer of the property; empty without one. */
  readonly pointer: string;
  readonly message: string;
}

/** `/mounts/3: no effect` */
export function showWarning({ pointer, message }: Warning): string {
  return pointer === '' ? message : `${pointer}: ${message}`;
}

export function isRuntimeOp(op: Op): op is RuntimeOp {
  return op.by === 'runtime';
}
