/** What a test run prints: a line for each file, what was skipped, what has failed once more, and the counts. */
import { indent } from './tap-results.mjs';

const totals = { passed: 0, failed: 0 };
/** @type {import('./tap-results.mjs').Skip[]} */
const skips = [];
/** @type {string[]} Each a failed assertion, short. */
const briefs = [];

/** Characters of one failure at the end, and how many of them: CI keeps no more than the last few kB of a long log. */
const briefLength = 400;
const briefCount = 12;

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
  briefs.push(...failures.map((failure) => brief(file, failure)));
  for (const { name, detail } of failures) console.log(indent(`${name}\n${indent(detail)}`));
  const output = `${extra}${stderr}`.trimEnd();
  if (output !== '') console.log(indent(`output:\n${indent(output)}`));
}

/**
 * A failed assertion in few words: the file, with the VM and the driver that it ran with, the assertion's name without
 * that file, and the beginning of what is wrong.
 *
 * @param {string} file
 * @param {import('./tap-results.mjs').Failure} failure
 */
export function brief(file, { name, detail }) {
  const test = name.replace(/^test\/\S+( > |$)/, '');
  const lines = [test === '' ? file : `${file} > ${test}`, ...detail.split('\n').map((line) => `    ${line}`)];
  const text = lines.filter((line) => line.trim() !== '').join('\n');
  return text.length > briefLength ? `${text.slice(0, briefLength)}…` : text;
}

/** Prints the end of the whole run, and sets the exit code. */
export function report() {
  if (skips.length > 0) console.log('\nSkipped:');
  for (const { name, reason } of skips) console.log(`  ${name}${reason === '' ? '' : `: ${reason}`}`);
  if (briefs.length > 0) console.log('\nFailed:');
  for (const text of briefs.slice(0, briefCount)) console.log(text.replace(/^/gm, '  '));
  if (briefs.length > briefCount) console.log(`  and ${briefs.length - briefCount} more, see FAILED above`);
  const { passed, failed } = totals;
  if (passed + failed === 0) console.log('\nNo test ran.');
  console.log(`\n${passed} passed, ${failed} failed, ${skips.length} skipped`);
  process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
}
