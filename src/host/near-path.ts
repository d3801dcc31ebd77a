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
    if (names.length > most || names.includes(name)) return undefined;
    // sdb is no misspelt sda, nor data2 a misspelt data1.
    const others = names.filter((each) => withoutNumber(each) !== withoutNumber(name));
    return didYouMean(name, others);
  } catch {
    return undefined;
  }
}

/** Without what numbers or letters members of a row: digits, or a disk's last letter. */
function withoutNumber(name: string): string {
  return name.replace(/^((?:sd|vd|xvd|hd)[a-z]+|.*[-_.][a-z])$/, (all) => all.slice(0, -1)).replace(/\d+/g, '');
}
