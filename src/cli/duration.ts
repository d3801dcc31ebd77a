import { TsrunError } from '../errors.ts';

const milliseconds: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/**
 * Milliseconds from `5s`, `500ms`, `1m30s`, as Go writes durations; a bare number counts seconds.
 *
 * @throws TsrunError for other text, and for a duration of zero
 */
export function parseDuration(text: string): number {
  const plain = /^\d+(\.\d+)?$/.test(text) ? `${text}s` : text;
  if (/^(\d+(\.\d+)?(ms|s|m|h))+$/.test(plain)) {
    const parts = [...plain.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)];
    const total = parts.reduce((sum, [, number, unit]) => sum + Number(number) * (milliseconds[unit ?? ''] ?? 0), 0);
    // setInterval accepts no more.
    if (total >= 1 && total < 2 ** 31) return total;
  }
  throw new TsrunError(`--interval: expected a duration such as 5s or 500ms, found ${JSON.stringify(text)}`);
}
