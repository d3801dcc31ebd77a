/** "Did you mean" for a missing path of the host. */
import { readdirSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { didYouMean } from '../suggest.ts';

/** The most names that are searched: a person would not look through more. */
const most = 5000;

/**
 * `did you mean "data"?` for the nearest name in the same directory. Undefined if no name is near, or the directory
 * cannot be read: this only helps to explain another error.
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
