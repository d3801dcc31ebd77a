import { closeSync, openSync } from 'node:fs';

/**
 * What has to be undone when a later step fails; the last thing made is undone first. It holds descriptors that it gives
 * up when it runs: otherwise nothing could be read or removed any more where the failure is that there are too many.
 */
export class UndoStack {
  private readonly steps: (() => void)[] = [];
  /** A tree of cgroups is walked with several open at a time. */
  private readonly spares = [1, 2, 3, 4].map(() => openSync('/', 'r'));

  push(step: () => void): void {
    this.steps.push(step);
  }

  /** Runs every step even when one fails; returns the failures' messages. */
  run(): string[] {
    this.forget();
    const failures: string[] = [];
    for (const step of this.steps.reverse()) {
      try {
        step();
      } catch (error) {
        failures.push((error as Error).message);
      }
    }
    this.steps.length = 0;
    return failures;
  }

  /** All has gone well, and there will be nothing to undo. */
  forget(): void {
    for (const fd of this.spares) closeSync(fd);
    this.spares.length = 0;
  }
}
