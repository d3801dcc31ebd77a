/** What `npm test` counts, from TAP as the test files write it. */
import { join } from 'node:path';
import t from 'tap';
import { repoRoot } from '../../harness/host.ts';

const { collectResults } = await import(join(repoRoot, 'scripts/lib/tap-results.mjs'));

/** Counts of a file that writes this TAP. */
async function count(...lines: string[]) {
  const { parser, results } = collectResults('x.test.ts');
  parser.end(`${['TAP version 14', ...lines].join('\n')}\n`);
  const { passed, failed, failures, skips } = await results;
  return { passed, failed, failures, skips };
}

/** A subtest with these lines in it, and its closing test point. */
function subtest(number: number, name: string, lines: string[], ok = true): string[] {
  return [`# Subtest: ${name}`, ...lines.map((line) => `    ${line}`), `${ok ? 'ok' : 'not ok'} ${number} - ${name}`];
}

t.test('a test counts once, however many assertions it has', async (t) => {
  const counts = await count(...subtest(1, 'one', ['ok 1 - a', 'ok 2 - b', '1..2']), 'ok 2 - two', '1..2');
  t.same(counts, { passed: 2, failed: 0, failures: [], skips: [] });
});

t.test('a failing test counts once and names each failing assertion', async (t) => {
  const lines = ['not ok 1 - a', 'not ok 2 - b', 'ok 3 - c', '1..3'];
  const { passed, failed, failures } = await count(...subtest(1, 'one', lines, false), '1..1');
  t.same({ passed, failed }, { passed: 0, failed: 1 });
  t.match(failures, [{ name: 'x.test.ts > one > a' }, { name: 'x.test.ts > one > b' }]);
});

t.test('a skipped test does not pass, and keeps its reason', async (t) => {
  const { passed, skips } = await count('ok 1 - one # SKIP needs root', 'ok 2 - two', '1..2');
  t.equal(passed, 1);
  t.same(skips, [{ name: 'x.test.ts > one', reason: 'needs root' }]);
});

t.test('a skip inside a test is counted, and a test of skips only has not passed', async (t) => {
  const { passed, skips } = await count(
    ...subtest(1, 'mixed', ['ok 1 - a', 'ok 2 - b # SKIP no network', '1..2']),
    ...subtest(2, 'nothing', ['ok 1 - c # SKIP no disk', '1..1']),
    '1..2',
  );
  t.equal(passed, 1);
  t.same(
    skips.map(({ reason }: { reason: string }) => reason),
    ['no network', 'no disk'],
  );
});

t.test('a test without assertions counts by how it ended', async (t) => {
  const counts = await count(
    ...subtest(1, 'waits', ['1..0']),
    ...subtest(2, 'outer', subtest(1, 'inner', ['1..0']).concat('1..1')),
    '1..2',
  );
  t.same(counts, { passed: 2, failed: 0, failures: [], skips: [] });
  const { passed, failed, failures } = await count(...subtest(1, 'throws', ['1..0'], false), '1..1');
  t.same({ passed, failed }, { passed: 0, failed: 1 });
  t.match(failures, [{ name: 'x.test.ts > throws' }]);
});

t.test('a test in which all of a subtest was skipped has not passed', async (t) => {
  const inner = [...subtest(1, 'inner', ['ok 1 - c # SKIP no disk', '1..1']), '1..1'];
  const { passed, failed, skips } = await count(...subtest(1, 'outer', inner), '1..1');
  t.same({ passed, failed }, { passed: 0, failed: 0 });
  t.match(skips, [{ reason: 'no disk' }]);
});

t.test('a file that is skipped as a whole is one skip', async (t) => {
  const counts = await count('1..0 # needs a vm');
  t.same(counts, { passed: 0, failed: 0, failures: [], skips: [{ name: 'x.test.ts', reason: 'needs a vm' }] });
});

t.test('a file without tests fails', async (t) => {
  t.equal((await count('1..0')).failed, 1);
  t.equal((await count()).failed, 1);
});

t.test('a file that ends before its plan is fulfilled fails', async (t) => {
  const { passed, failed } = await count('1..2', 'ok 1 - one');
  t.same({ passed, failed }, { passed: 1, failed: 1 });
});

t.test('bailing out fails', async (t) => {
  const { failed, failures } = await count('ok 1 - one', 'Bail out! the disk is full');
  t.equal(failed, 1);
  t.match(failures, [{ detail: /the disk is full/ }]);
});

t.test('diagnostics that contain themselves', async (t) => {
  const diagnostics = ['  ---', '  error: &ref_0', '    error: *ref_0', '  ...'];
  const { failed, failures } = await count('not ok 1 - a', ...diagnostics, '1..1');
  t.equal(failed, 1);
  t.match(failures, [{ detail: /error: .*Circular/ }]);
});
