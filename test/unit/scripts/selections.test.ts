/** The lists of integration tests that run once more somewhere else. */
import { join } from 'node:path';
import t from 'tap';
import { repoRoot } from '../../harness/host.ts';

const load = (name: string) => import(join(repoRoot, 'scripts/lib', name));
const { testFiles } = await load('bundle.mjs');
const { cgroupTests, sharedTests } = await load('cgroup-tests.mjs');
const { contractTests, nodeFormTests } = await load('node-form.mjs');
const { architectureTests } = await load('vm-tests.mjs');
const files: string[] = testFiles();

t.test('each name in a list is one test file: a typo would silently leave a test out', async (t) => {
  const lists: Record<string, string[]> = { cgroupTests, sharedTests, contractTests, architectureTests };
  for (const [list, names] of Object.entries(lists)) {
    for (const name of names) {
      const found = files.filter((file) => file.startsWith('test/integration/') && file.endsWith(`/${name}.test.ts`));
      t.equal(found.length, 1, `${list}: ${name}`);
    }
  }
});

t.test('the form on Node runs its list, or everything on request', async (t) => {
  const some = [
    'test/unit/a.test.ts',
    'test/integration/config/way-out.test.ts',
    'test/integration/lifecycle/run.test.ts',
  ];
  t.same(nodeFormTests(some, undefined), ['test/integration/lifecycle/run.test.ts']);
  t.same(nodeFormTests(some, 'all'), some.slice(1));
});
