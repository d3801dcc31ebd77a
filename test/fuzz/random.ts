/**
 * Random numbers, the same ones in each run. TSRUN_FUZZ_SEED chooses others, and TSRUN_FUZZ_FACTOR makes each test try
 * that many times as much: `TSRUN_FUZZ_SEED=$RANDOM TSRUN_FUZZ_FACTOR=100 npm test -- test/fuzz`.
 */
export const seed = Number(process.env.TSRUN_FUZZ_SEED ?? 1);

/** The rounds of a test that makes `count` in an ordinary run. */
export function rounds(count: number): number {
  return count * Number(process.env.TSRUN_FUZZ_FACTOR ?? 1);
}

export class Random {
  #state: number;

  constructor(round: number) {
    this.#state = Math.imul(seed, 0x9e3779b1) ^ Math.imul(round + 1, 0x85ebca6b);
  }

  /** From 0 to `limit` - 1. */
  below(limit: number): number {
    // mulberry32
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let x = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
    return ((x ^ (x >>> 14)) >>> 0) % limit;
  }

  /** True once in so many times. */
  once(times: number): boolean {
    return this.below(times) === 0;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }
}
