/**
 * What runc and crun must do in a test: the same as tsrun, but in their own words, and except where a case says what
 * they do instead.
 */
import type { Test } from 'tap';
import { type Differences, difference } from './requires.ts';
import { runtimeName } from './runtime.ts';

/** The runtime says what is wrong: tsrun in these words, another in its own. */
export function says(t: Test, stderr: string, words: RegExp | string, name = 'it says why'): void {
  t.match(stderr, runtimeName === 'tsrun' ? words : /./, name);
}

/** Whether this runtime does something else in this case, which is then skipped. */
export function isExempt(t: Test, name: string, differs: Differences = {}): boolean {
  const reason = difference(differs);
  if (reason === undefined) return false;
  t.pass(name, { skip: reason });
  return true;
}
