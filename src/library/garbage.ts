/**
 * Collects all garbage of this thread and gives its pages back, if the process was started with --expose-gc. Node 24's
 * plain gc() keeps a few megabytes of pages for the objects to come.
 */
export function collectGarbage(): void {
  // As V8 does when memory has run out. A Node that does not know an option leaves it out of account.
  globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}
