/** What a test run prints: a line for each file, what was skipped, and the counts. */
import { indent } from './tap-results.mjs';

const totals = { passed: 0, failed: 0 };
/** @type {import('./tap-results.mjs').Skip[]} */
const skips = [];

/** @param {...import('./tap-results.mjs').Skip} more */
export function skip(...more) {
  skips.push(...more);
}

/** @param {{ file: string, stderr: string } & import('./tap-results.mjs').FileResults} results */
export function printFile({ file, stderr, passed, failed, failures, skips: skipped, extra }) {
  totals.passed += passed;
  totals.failed += failed;
  skip(...skipped);
  const counts = `${passed} passed${skipped.length > 0 ? `, ${skipped.length} skipped` : ''}`;
  if (failed === 0) {
    console.log(`ok      ${file} (${counts})`);
    return;
  }
  console.log(`FAILED  ${file} (${counts}, ${failed} failed)`);
  for (const { name, detail } of failures) console.log(indent(`${name}\n${indent(detail)}`));
  const output = `${extra}${stderr}`.trimEnd();
  if (output !== '') console.log(indent(`output:\n${indent(output)}`));
}

/** Prints the end of the whole run, and sets the exit code. */
export function report() {
  if (skips.length > 0) console.log('\nSkipped:');
  for (const { name, reason } of skips) console.log(`  ${name}${reason === '' ? '' : `: ${reason}`}`);
  const { passed, failed } = totals;
  if (passed + failed === 0) console.log('\nNo test ran.');
  console.log(`\n${passed} passed, ${failed} failed, ${skips.length} skipped`);
  process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
}
