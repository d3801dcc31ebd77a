import { TsrunError } from '../../errors.ts';

/** In characters. The worst names in a text of this size take less than a second. */
const smallText = 128 * 1024;

/** Limit for the number of properties times the number of different names; a Spec of 10 MiB has a tenth of it. */
const maxProduct = 100_000_000;

/**
 * Limits the number of names, before the first is parsed. The author of a config.json can choose names that the
 * engine's table puts into one list, because QuickJS has a hash without a seed. The engine then walks that list for
 * every property: with 16 MiB of such names, for an hour.
 *
 * @throws TsrunError
 */
export function demandFewNames(text: string, path: string): void {
  if (text.length <= smallText) return;
  const names = new Set<string>();
  let properties = 0;
  for (const name of namesIn(text)) {
    properties++;
    names.add(name);
    if (properties * names.size > maxProduct) {
      throw new TsrunError(
        `${path}: has too many properties: ${properties} with ${names.size} different names so far`,
        {
          hint: 'does it need so many annotations?',
        },
      );
    }
  }
}

/** Names of properties as the text spells them: strings before a colon. Ends where the text is not JSON. */
function* namesIn(text: string): Generator<string> {
  for (let open = text.indexOf('"'); open !== -1; ) {
    const close = closingQuote(text, open);
    if (close === -1) return;
    const next = skipSpace(text, close + 1);
    if (text.charCodeAt(next) === 0x3a) yield text.slice(open + 1, close);
    open = text.indexOf('"', next);
  }
}

/**
 * Offset of the quote that ends the string begun at `open`: the first one after an even number of backslashes; -1
 * without one.
 */
export function closingQuote(text: string, open: number): number {
  for (let close = text.indexOf('"', open + 1); close !== -1; close = text.indexOf('"', close + 1)) {
    let backslashes = 0;
    while (text.charCodeAt(close - 1 - backslashes) === 0x5c) backslashes++;
    if (backslashes % 2 === 0) return close;
  }
  return -1;
}

/** Offset of the first character from `at` on that is not white space in JSON. */
export function skipSpace(text: string, at: number): number {
  let next = at;
  let char = text.charCodeAt(next);
  while (char === 0x20 || char === 0x0a || char === 0x0d || char === 0x09) char = text.charCodeAt(++next);
  return next;
}
