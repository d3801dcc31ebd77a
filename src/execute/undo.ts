/** What has to be undone when a later step fails; the last thing made is undone first. */
export class UndoStack {
  private readonly steps: (() => void)[] = [];

  push(step: () => void): void {
    this.steps.push(step);
  }

  /** Runs every step even when one fails; returns the failures' messages. */
  run(): string[] {
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
}
