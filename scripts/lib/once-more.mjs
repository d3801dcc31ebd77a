/**
 * In CI a file that fails is run once more, and passes when it does then: engines, VMs and 2 cores have races of their
 * own, and one of two thousand tests must not hide what the others say. What failed first is reported all the same, as
 * unsteady: it is a fault to look into, of the test or of tsrun. Few files may: a broken main fails at once.
 */

/**
 * @typedef {import('./tap-results.mjs').FileResults & { file: string, stderr: string, first?: Failure[] }} Result
 *   `first` is what failed in a run before the one that counts
 * @typedef {import('./tap-results.mjs').Failure} Failure
 */

/** TSRUN_TEST_RETRIES, or in CI 3: so many times the whole run may do a thing again. */
let left = Number(process.env.TSRUN_TEST_RETRIES ?? (process.env.CI ? 3 : 0));

/** Whether something may be run again; counts it. */
export function takeRetry() {
  left -= 1;
  return left >= 0;
}

/**
 * Runs a file, and once more when it fails.
 *
 * @param {() => Promise<Result>} run
 * @returns {Promise<Result>} what counts
 */
export async function withRetry(run) {
  const result = await run();
  return result.failed > 0 && takeRetry() ? secondOf(result, await run()) : result;
}

/**
 * What counts of two runs: the second.
 *
 * @param {Result} first which has failed
 * @param {Result} second
 * @returns {Result}
 */
export function secondOf(first, second) {
  return { ...second, first: first.failures };
}
