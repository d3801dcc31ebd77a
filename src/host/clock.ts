import { addon } from '../addon.ts';
import { standalone } from '../build-info.ts';

/** When this process began, in nanoseconds of CLOCK_MONOTONIC. Node runs long before the addon is loaded. */
export function processStart(): bigint {
  if (standalone) return addon().loadTime();
  return addon().monotonicTime() - BigInt(Math.round(performance.now() * 1e6));
}

/** Milliseconds of a clock that is never set; for measuring durations, where Date.now() may jump. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint() / 1_000_000n);
}
