import { openSync } from 'node:fs';
import { closeQuietly } from './close.ts';

/**
 * What to undo when a later step fails; the last thing made is undone first. It holds spare descriptors and frees them
 * when it runs: if the failure is that there are too many, nothing could be read or removed otherwise.
 */
export class UndoStack {
  private readonly steps: (() => void)[] = [];
  /** Four, because walking a tree of cgroups needs several at a time. */
  private readonly spares = [1, 2, 3, 4].map(() => openSync('/', 'r'));

  push(step: () => void): void {
    this.steps.push(step);
  }

  /** Runs every step even when one fails; returns the failures' messages. */
  run(): string[] {
    const failures: string[] = [];
    this.forget();
    for (const step of this.steps.reverse()) this.attempt(failures, step);
    this.steps.length = 0;
    return failures;
  }

  private attempt(failures: string[], step: () => void): void {
    try {
      step();
    } catch (error) {
      failures.push((error as Error).message);
    }
  }

  /** Called when everything has succeeded and nothing needs to be undone. */
  forget(): void {
    // Linux frees a descriptor even if close(2) reports an error, and the others must still be closed.
    for (const fd of this.spares.splice(0)) closeQuietly(fd);
  }
}
