/** Turns the TAP of one test file into counts, failures and skips. */
import { inspect } from 'node:util';
import { Parser } from 'tap-parser';

/**
 * @typedef {{ name: string, reason: string }} Skip
 * @typedef {{ name: string, detail: string }} Failure
 * @typedef {{ passed: number, failed: number, failures: Failure[], skips: Skip[], extra: string }} FileResults
 */

/**
 * `passed` and `failed` count test cases: the test points at the top level of a file, mostly `t.test(...)` blocks.
 * `failures` has an entry for each assertion. A test without assertions passes if it reaches its end: its waits may be
 * the test. A skip within a test counts as a skipped case of its own, so that none hides in a test that passes. A test
 * in which everything was skipped does not count as passed.
 *
 * @param {string} file the name that the results carry
 * @returns {{ parser: Parser, results: Promise<FileResults> }}
 */
export function collectResults(file) {
  /** @type {FileResults} */
  const found = { passed: 0, failed: 0, failures: [], skips: [], extra: '' };
  const parser = new Parser({ name: file });
  parser.on('extra', (text) => {
    found.extra += text;
  });
  parser.on('bailout', (reason) => addFailure(found, file, `bail out: ${reason}`));
  watch(parser, found, true);
  const results = new Promise((resolve) => {
    parser.on('complete', (final) => {
      noteWholeFile(file, final, found);
      resolve(found);
    });
  });
  return { parser, results };
}

/**
 * @typedef {{ ran: boolean, failed: boolean, skipped: boolean }} Seen what happened below a parser
 * @returns {Seen} filled in while it parses
 */
function watch(parser, found, isTop) {
  const seen = { ran: false, failed: false, skipped: false };
  let child;
  parser.on('child', (childParser) => {
    child = watch(childParser, found, false);
  });
  parser.on('assert', (point) => {
    // A closing test point repeats the result of its subtest; only a failure of its own (a timeout) is new.
    const inner = point.closingTestPoint ? child : undefined;
    child = undefined;
    notePoint(point, inner, found, seen, isTop);
  });
  return seen;
}

function notePoint(point, inner, found, seen, isTop) {
  const name = point.fullname;
  if (point.skip || point.todo) {
    found.skips.push({ name, reason: skipReason(point) });
    seen.skipped = true;
    return;
  }
  const isSkipped = inner?.skipped && !inner.ran && point.ok;
  if (isSkipped) seen.skipped = true;
  else seen.ran = true;
  if (!point.ok) {
    seen.failed = true;
    if (isTop) found.failed += 1;
    if (!inner?.failed) found.failures.push({ name, detail: describeDiagnostics(point.diag) });
  } else if (isTop && !isSkipped) {
    found.passed += 1;
  }
}

/** A file that prints nothing at all, or stops before its plan is fulfilled, must not look like a success. */
function noteWholeFile(file, final, found) {
  const reason = final.plan?.skipAll ? final.plan.comment : '';
  if (reason && reason !== 'no tests found') {
    found.skips.push({ name: file, reason });
  } else if (found.passed + found.failed + found.skips.length === 0) {
    addFailure(found, file, 'no tests found');
  } else if (!final.ok && found.failed === 0) {
    const detail = final.failures.map((failure) => failure.tapError ?? failure.name).join('; ');
    addFailure(found, file, detail || 'the TAP output ends too early');
  }
}

/** Notes that something is wrong with the file as a whole. */
export function addFailure(found, name, detail) {
  found.failed += 1;
  found.failures.push({ name, detail });
}

function skipReason({ skip, todo }) {
  if (todo) return todo === true ? 'todo' : `todo: ${todo}`;
  return skip === true ? '' : skip;
}

/** The useful part of tap's diagnostics, the most important first. */
function describeDiagnostics(diag) {
  if (!diag) return '';
  const lines = [];
  const { at } = diag;
  if (at?.fileName) lines.push(`at ${at.fileName}:${at.lineNumber}:${at.columnNumber}`);
  for (const key of ['message', 'error', 'diff', 'found', 'wanted', 'expired', 'exitCode', 'signal', 'source']) {
    if (diag[key] === undefined || diag[key] === null) continue;
    const text = typeof diag[key] === 'string' ? diag[key].trimEnd() : inspect(diag[key]);
    lines.push(text.includes('\n') ? `${key}:\n${indent(text)}` : `${key}: ${text}`);
  }
  return lines.join('\n');
}

/** @param {string} text */
export function indent(text) {
  return text.replace(/^(?=.)/gm, '    ');
}
