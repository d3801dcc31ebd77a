import { addon } from '../addon.ts';
import { standalone } from '../build-info.ts';

/** When this process began, in nanoseconds of CLOCK_MONOTONIC: Node is there long before the addon. */
export function processStart(): bigint {
  if (standalone) return addon().loadTime();
  return addon().monotonicTime() - BigInt(Math.round(performance.now() * 1e6));
}

/** Milliseconds by a clock that nobody sets: for time that passes, where Date.now() may jump. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint() / 1_000_000n);
}
