/**
 * In CI a file that fails is run once more, and the second run counts: engines, VMs and a machine with 2 cores have
 * races of their own, and one of two thousand tests must not hide the results of the others. The first failure is still
 * reported, as unsteady: it is a bug to look into, in the test or in tsrun. Only a few files get a second run, so a
 * broken main fails soon.
 */

/**
 * @typedef {import('./tap-results.mjs').FileResults & { file: string, stderr: string, seconds?: number, first?: Failure[] }} Result
 *   `first` is what failed in a run before the one that counts; `seconds` is what this one took
 * @typedef {import('./tap-results.mjs').Failure} Failure
 */

/** How many things the whole run may still do again: at first TSRUN_TEST_RETRIES, or 3 in CI. */
let left = Number(process.env.TSRUN_TEST_RETRIES ?? (process.env.CI ? 3 : 0));

/** Whether something may be run again; counts as one retry. */
export function takeRetry() {
  left -= 1;
  return left >= 0;
}

/**
 * Runs a file, and once more if it fails.
 *
 * @param {() => Promise<Result>} run
 * @returns {Promise<Result>} what counts
 */
export async function withRetry(run) {
  const result = await run();
  return result.failed > 0 && takeRetry() ? secondOf(result, await run()) : result;
}

/**
 * The result of two runs: that of the second.
 *
 * @param {Result} first which has failed
 * @param {Result} second
 * @returns {Result}
 */
export function secondOf(first, second) {
  return { ...second, first: first.failures };
}
