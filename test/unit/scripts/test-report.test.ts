/** The end of a test run's log, which is all that is left if the log is cut in the middle. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t from 'tap';
import { repoRoot } from '../../harness/host.ts';

const library = pathToFileURL(join(repoRoot, 'scripts/lib/test-report.mjs')).href;

interface File {
  file: string;
  failures: { name: string; detail: string }[];
  failed?: number;
  seconds?: number;
  first?: { name: string; detail: string }[];
}

/** The lines that a run prints in which these files have failed. */
function printed(...files: File[]): string[] {
  return printedAfter('', ...files);
}

/** The same in CI, with what it did before (`SECONDS NAME`, one a line). */
function printedAfter(parts: string, ...files: File[]): string[] {
  const results = files.map((file) => ({
    passed: 1,
    failed: 1,
    skips: [{ name: 'x.test.ts > b', reason: 'needs luck' }],
    extra: '',
    stderr: 'noise\n'.repeat(1000),
    ...file,
  }));
  const script = `import { printFile, report } from ${JSON.stringify(library)};
    for (const result of ${JSON.stringify(results)}) printFile(result);
    report();
    process.exitCode = 0;`;
  const options = { input: script, encoding: 'utf8', env: { ...process.env, TSRUN_CI_PARTS: parts } } as const;
  const output = execFileSync(process.execPath, ['--input-type=module'], options);
  return output.trimEnd().split('\n');
}

t.test('failures are repeated at the end, before the counts', (t) => {
  const detail = `at x.test.ts:3:1\n${'diff:\n    -a\n    +b\n'.repeat(200)}`;
  const lines = printed({
    file: 'test/x.test.ts in uml',
    failures: [
      { name: 'test/x.test.ts > a > should be equal', detail },
      { name: 'test/x.test.ts', detail: 'ended with 1' },
    ],
  });
  const end = lines.slice(lines.indexOf('Failed:'));
  t.match(end.slice(0, 3), ['Failed:', '  test/x.test.ts in uml > a > should be equal', '      at x.test.ts:3:1']);
  t.same(end.slice(-4), ['  test/x.test.ts in uml', '      ended with 1', '', '1 passed, 1 failed, 1 skipped']);
  t.ok(end.join('\n').length < 1000, 'and is short');
  t.end();
});

t.test('the end stays short when everything fails', (t) => {
  const failures = Array.from({ length: 100 }, (_, i) => ({ name: `test/x.test.ts > ${i}`, detail: 'x'.repeat(5000) }));
  const lines = printed({ file: 'test/x.test.ts', failures });
  const end = lines.slice(lines.indexOf('Failed:'));
  t.ok(end.join('\n').length < 6000);
  t.match(end.at(-3), /and \d+ more/);
  t.equal(end.at(-1), '1 passed, 1 failed, 1 skipped');
  t.end();
});

t.test('a test that passes when run again is no failure, but is reported', (t) => {
  const first = [{ name: 'test/x.test.ts > a', detail: 'at x.test.ts:3:1' }];
  const lines = printed({ file: 'test/x.test.ts', failed: 0, failures: [], first });
  t.equal(lines[0], 'ok      test/x.test.ts (1 passed, 1 skipped, when run again; at first:)');
  t.same(lines.slice(-5), [
    'Unsteady, failed once and passed when run again:',
    '  test/x.test.ts > a',
    '      at x.test.ts:3:1',
    '',
    '1 passed, 0 failed, 1 skipped',
  ]);
  t.end();
});

t.test('the end says how long each part took, including what CI did before the tests', (t) => {
  const lines = printedAfter('31 lint\n0 build\n107 speed: failed, see above\n', {
    file: 'test/x.test.ts',
    failed: 0,
    failures: [],
  });
  t.same(lines.slice(-5), [
    'Took:',
    '    31 s  lint',
    '   107 s  speed: failed, see above',
    '',
    '1 passed, 0 failed, 1 skipped',
  ]);
  t.end();
});

t.test('the end names the files that took longest, if there are many', (t) => {
  const many = Array.from({ length: 9 }, (_, number) => ({ file: `test/${number}.test.ts`, failures: [], failed: 0 }));
  const lines = printed(...many.map((one, number) => ({ ...one, seconds: number * 10 })));
  const at = lines.indexOf('Of the files, most:');
  t.same(lines.slice(at + 1, at + 3), ['    80 s  test/8.test.ts', '    70 s  test/7.test.ts']);
  t.notOk(lines.includes('     0 s  test/0.test.ts'));
  t.notOk(printed(...many.slice(1)).includes('Of the files, most:'));
  t.end();
});
