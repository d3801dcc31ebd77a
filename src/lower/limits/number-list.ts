import { TsrunError } from '../../errors.ts';

/**
 * A list of numbers and ranges such as `0-3,7` (cpuset(7), List format) as a bit mask in words of 64 bits, the form for
 * sched_setaffinity(2) and set_mempolicy(2).
 *
 * @param limit the first number that is too large
 * @throws TsrunError for text that is not such a list
 */
export function numberMask(text: string, limit: number, pointer: string): bigint[] {
  let mask = 0n;
  for (const part of text.split(',')) {
    const [, first, last = first] = /^\s*(\d+)(?:-(\d+))?\s*$/.exec(part) ?? [];
    const [low, high] = [Number(first), Number(last)];
    if (first === undefined || low > high) {
      throw new TsrunError(`must be a list such as 0-3,7, found ${JSON.stringify(text)}`, { about: pointer });
    }
    if (high >= limit)
      throw new TsrunError(`${high} is too large, at most ${limit - 1} is possible`, { about: pointer });
    mask |= ((1n << BigInt(high - low + 1)) - 1n) << BigInt(low);
  }
  return words(mask);
}

function words(mask: bigint): bigint[] {
  const list: bigint[] = [];
  for (let rest = mask; rest > 0n; rest >>= 64n) list.push(BigInt.asUintN(64, rest));
  return list;
}
