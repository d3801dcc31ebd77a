import type { Op } from '../../generated/ops.ts';

/** An op that sets a limit, and the controller that the limit needs. */
export interface Setting {
  /** `core` for files that every cgroup has. */
  readonly controller: string;
  readonly op: Op;
}

/** Makes the op for a file; `from` is the property below linux.resources. */
export function write(controller: string, from: string, file: string, value: string): Setting {
  return {
    controller,
    op: { op: 'write-cgroup-file', by: 'runtime', from: `/linux/resources/${from}`, file, value },
  };
}

/** A count in decimal, however large. JSON numbers above 2^53 have lost their last digits; 2^64 - 1 is the maximum. */
export function decimal(value: number): string {
  const top = 0xffff_ffff_ffff_ffffn;
  const exact = BigInt(Math.trunc(value));
  return (exact > top ? top : exact).toString();
}

/** -1 becomes the word `max`. */
export function decimalOrMax(value: number): string {
  return value < 0 ? 'max' : decimal(value);
}
