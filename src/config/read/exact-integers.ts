import { type JsonScan, scanJson } from './json-scanner.ts';
import { maxDepth } from './parse.ts';

/**
 * Finds integers as a JSON text writes them; JSON.parse rounds those above 2^53. The text is only scanned when an
 * integer is asked for.
 *
 * @param text valid JSON
 * @returns a function from JSON pointer to the integer there; undefined if there is none, or if it has a fraction or
 *   exponent
 */
export function exactIntegers(text: string): (pointer: string) => bigint | undefined {
  let scan: JsonScan | undefined;
  return (pointer) => {
    scan ??= scanJson(text, maxDepth);
    const offset = scan.values.get(pointer);
    if (offset === undefined) return undefined;
    const digits = /^-?\d+(?![\d.eE])/.exec(text.slice(offset, offset + 40))?.[0];
    return digits === undefined ? undefined : BigInt(digits);
  };
}
