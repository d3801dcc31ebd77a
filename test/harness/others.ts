/** What runc and crun are held to within a test: the same, but for their words and for what a case says they do instead. */
import type { Test } from 'tap';
import { type Differences, difference } from './requires.ts';
import { runtimeName } from './runtime.ts';

/** That the runtime says what is wrong: tsrun in these words, another in words of its own. */
export function says(t: Test, stderr: string, words: RegExp | string, name = 'it says why'): void {
  t.match(stderr, runtimeName === 'tsrun' ? words : /./, name);
}

/** Whether this runtime does something else in this case, which is then reported as skipped. */
export function isExempt(t: Test, name: string, differs: Differences = {}): boolean {
  const reason = difference(differs);
  if (reason === undefined) return false;
  t.pass(name, { skip: reason });
  return true;
}
