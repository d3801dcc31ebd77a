/** What `npm test` runs in VMs beside the tests here: tests wait a lot, and a VM uses mostly one CPU. */
import { mkdirSync } from 'node:fs';
import { inRoot } from './paths.mjs';
import { printFile, skip, timed } from './test-report.mjs';
import { runInCheapestTier } from './vm-tests.mjs';

export class VmRuns {
  #useVm;
  /** @type {Promise<void>[]} */
  #runs = [];

  /** @param {boolean} useVm otherwise nothing runs, and what was to run because it was skipped stays so */
  constructor(useVm) {
    this.#useVm = useVm;
    // VMs copy the checkout, in which no directory may come or go meanwhile; tap makes this one.
    mkdirSync(inRoot('.tap/fixtures'), { recursive: true });
  }

  /**
   * @param {string} name in the report of times
   * @param {() => Promise<void>} work
   * @param {Promise<void>} [after] what it waits for
   * @returns {Promise<void>} its end
   */
  start(name, work, after = Promise.resolve()) {
    if (!this.#useVm) return after;
    const run = after.then(() => timed(`  beside them in VMs: ${name}`, work));
    this.#runs.push(run);
    return run;
  }

  /** @param {import('./tap-results.mjs').Skip[]} skipped tests that need something that is missing here */
  startSkipped(name, skipped) {
    if (!this.#useVm) skip(...skipped);
    else if (skipped.length > 0) this.start(name, () => runInCheapestTier(skipped, printFile, skip));
  }

  async end() {
    await Promise.all(this.#runs);
  }
}
