/** "Did you mean" for a path of the host that is not there. */
import { readdirSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { didYouMean } from '../suggest.ts';

/** More names than a person would look through. */
const most = 5000;

/**
 * `did you mean "data"?` for the nearest name beside it; undefined when there is none, or no looking: it is only said in
 * telling of another error.
 */
export function nearPath(path: string): string | undefined {
  try {
    const names = readdirSync(dirname(path));
    const name = basename(path);
    return names.length > most || names.includes(name) ? undefined : didYouMean(name, names);
  } catch {
    return undefined;
  }
}
