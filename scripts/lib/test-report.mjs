/** What a test run prints: a line for each file; at the end what was skipped, the failures again, and the counts. */
import { indent } from './tap-results.mjs';

const totals = { passed: 0, failed: 0 };
/** @type {import('./tap-results.mjs').Skip[]} */
const skips = [];
/** @type {string[]} Each a failed assertion in short. */
const briefs = [];
/** @type {string[]} The same for files that passed when they were run again. */
const unsteady = [];

/**
 * Parts of the work and their times, in the order in which they begin. First those that .ci/run has done before the
 * tests: `SECONDS NAME`, one a line.
 *
 * @type {{ name: string, seconds: number }[]}
 */
const parts = (process.env.TSRUN_CI_PARTS ?? '')
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => ({ name: line.replace(/^\d+ /, ''), seconds: Number.parseInt(line, 10) }));

/** @type {{ name: string, seconds: number }[]} */
const files = [];
/** At the end: how many of the files that took longest. */
const slowestCount = 8;

/** At the end: characters of one failure, and the number of failures. CI keeps only the last few kB of a long log. */
const briefLength = 400;
const briefCount = 12;

/** @param {...import('./tap-results.mjs').Skip} more */
export function skip(...more) {
  skips.push(...more);
}

/**
 * Does a part of the work; the report says how long it took.
 *
 * @template T
 * @param {string} name
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function timed(name, work) {
  const began = performance.now();
  const part = { name, seconds: 0 };
  parts.push(part);
  try {
    return await work();
  } finally {
    part.seconds = Math.round((performance.now() - began) / 1000);
  }
}

/** @param {import('./once-more.mjs').Result} results */
export function printFile({ file, stderr, passed, failed, failures, skips: skipped, extra, seconds = 0, first = [] }) {
  files.push({ name: file, seconds: Math.round(seconds) });
  totals.passed += passed;
  totals.failed += failed;
  skip(...skipped);
  const counts = `${passed} passed${skipped.length > 0 ? `, ${skipped.length} skipped` : ''}`;
  if (failed === 0) {
    console.log(`ok      ${file} (${counts}${first.length > 0 ? ', when run again; at first:' : ''})`);
    unsteady.push(...first.map((failure) => brief(file, failure)));
    printFailures(first);
    return;
  }
  console.log(`FAILED  ${file} (${counts}, ${failed} failed${first.length > 0 ? ', as when first run' : ''})`);
  briefs.push(...failures.map((failure) => brief(file, failure)));
  printFailures(failures);
  const output = `${extra}${stderr}`.trimEnd();
  if (output !== '') console.log(indent(`output:\n${indent(output)}`));
}

/** @param {import('./tap-results.mjs').Failure[]} failures */
function printFailures(failures) {
  for (const { name, detail } of failures) console.log(indent(`${name}\n${indent(detail)}`));
}

/**
 * A failed assertion in short: the file, with the VM and the driver that it ran with, the assertion's name without the
 * file, and the beginning of what is wrong.
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

/** Prints the end of the log, and sets the exit code. */
export function report() {
  if (skips.length > 0) console.log('\nSkipped:');
  for (const { name, reason } of skips) console.log(`  ${name}${reason === '' ? '' : `: ${reason}`}`);
  printBriefs('Unsteady, failed once and passed when run again:', unsteady);
  printBriefs('Failed:', briefs);
  printTimes('Took:', parts);
  if (files.length > slowestCount)
    printTimes('Of the files, most:', files.sort((a, b) => b.seconds - a.seconds).slice(0, slowestCount));
  const { passed, failed } = totals;
  if (passed + failed === 0) console.log('\nNo test ran.');
  console.log(`\n${passed} passed, ${failed} failed, ${skips.length} skipped`);
  process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
}

function printTimes(title, all) {
  const some = all.filter(({ seconds }) => seconds > 0);
  if (some.length > 0) console.log(`\n${title}`);
  for (const { name, seconds } of some) console.log(`${String(seconds).padStart(6)} s  ${name}`);
}

function printBriefs(title, texts) {
  if (texts.length > 0) console.log(`\n${title}`);
  for (const text of texts.slice(0, briefCount)) console.log(text.replace(/^/gm, '  '));
  if (texts.length > briefCount) console.log(`  and ${texts.length - briefCount} more, see above`);
}
