/** In CI a few files are run again if they fail. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t from 'tap';
import { repoRoot } from '../../harness/host.ts';

const library = pathToFileURL(join(repoRoot, 'scripts/lib/once-more.mjs')).href;

/** How often each of five files runs: the first passes, the second fails once, and the others always fail. */
function runs(variables: Record<string, string>): { runs: number[]; failed: number[]; first: (string | undefined)[] } {
  const script = `import { withRetry } from ${JSON.stringify(library)};
    const failing = [0, 1, 9, 9, 9];
    const seen = failing.map(() => 0);
    const results = [];
    for (const [i, times] of failing.entries())
      results.push(await withRetry(async () => {
        seen[i] += 1;
        const failed = seen[i] > times ? 0 : 1;
        return { failed, failures: failed ? [{ name: 'run ' + seen[i], detail: '' }] : [] };
      }));
    console.log(JSON.stringify({
      runs: seen,
      failed: results.map(({ failed }) => failed),
      first: results.map(({ first }) => first?.[0].name ?? ''),
    }));`;
  const { CI: _, TSRUN_TEST_RETRIES: __, ...env } = process.env;
  const output = execFileSync(process.execPath, ['--input-type=module'], {
    input: script,
    env: { ...env, ...variables },
  });
  return JSON.parse(output.toString());
}

t.test('outside CI nothing is run again', async (t) => {
  t.same(runs({}), { runs: [1, 1, 1, 1, 1], failed: [0, 1, 1, 1, 1], first: ['', '', '', '', ''] });
});

t.test('in CI three files are run again', async (t) => {
  t.same(runs({ CI: 'true' }), {
    runs: [1, 2, 2, 2, 1],
    failed: [0, 0, 1, 1, 1],
    first: ['', 'run 1', 'run 1', 'run 1', ''],
  });
});

t.test('TSRUN_TEST_RETRIES=0 turns that off', async (t) => {
  t.same(runs({ CI: 'true', TSRUN_TEST_RETRIES: '0' }).runs, [1, 1, 1, 1, 1]);
});
