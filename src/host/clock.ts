/** Milliseconds by a clock that nobody sets: for time that passes, where Date.now() may jump. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint() / 1_000_000n);
}
