/** 64-bit numbers that a JavaScript number cannot hold. */

import type { Spec } from '../../generated/spec.ts';
import { exactIntegers } from '../read/exact-integers.ts';
import type { Problem } from './finding.ts';

/**
 * Above 2^53 JSON.parse rounds to the nearest double. For a limit of memory or time this makes no difference, but a
 * seccomp filter compares bits, so a rounded value is refused there. The largest uint64, a common mask, is accepted: it
 * becomes 2^64, which is no uint64, and lowering turns that back.
 */
export function inexactSeccompValues(spec: Spec, text: string): Problem[] {
  const large = (spec.linux?.seccomp?.syscalls ?? []).flatMap(({ args = [] }, index) => {
    return args.flatMap(({ value, valueTwo = 0 }, argIndex) => {
      const pointer = `/linux/seccomp/syscalls/${index}/args/${argIndex}`;
      return Object.entries({ value, valueTwo })
        .filter(([, number]) => number > Number.MAX_SAFE_INTEGER)
        .map(([name, number]) => ({ pointer: `${pointer}/${name}`, number }));
    });
  });
  if (large.length === 0) return [];
  const exactInteger = exactIntegers(text);
  return large.flatMap(({ pointer, number }) => {
    const written = exactInteger(pointer);
    const read = number === 2 ** 64 ? 2n ** 64n - 1n : BigInt(number);
    if (written === undefined || written === read) return [];
    return [{ pointer, message: `cannot be read exactly: ${written} is taken as ${read}` }];
  });
}
