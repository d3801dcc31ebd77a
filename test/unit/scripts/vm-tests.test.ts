/** What `npm test` runs again in the VM. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import t from 'tap';
import { repoRoot } from '../../harness/host.ts';

const { grepFor, selectTests, splitByNeed } = await import(join(repoRoot, 'scripts/lib/vm-tests.mjs'));

const results = { stderr: '', passed: 1, failed: 0, failures: [], extra: '' };

t.test('tests that lack something here go to the VM, other skips do not', async (t) => {
  const file = 'test/integration/a.test.ts';
  const memory = { name: `${file} > limits`, reason: 'needs cgroup2 controllers: memory' };
  const devices = { name: `${file} > devices`, reason: 'crun needs CAP_SYS_RESOURCE to restrict devices' };
  const runc = { name: `${file} > other`, reason: 'is about runc only' };
  const { result, needy } = splitByNeed({ ...results, file, skips: [memory, runc, devices] });
  t.same(needy, [memory, devices]);
  t.same(result.skips, [runc]);
  t.equal(result.passed, 1);
});

t.test('a test that starts VMs does not run in one', async (t) => {
  const skip = { name: 'test/vm/smoke.test.ts > qemu VM', reason: 'the qemu VM needs root: namespaces and mounts' };
  const { result, needy } = splitByNeed({ ...results, file: 'test/vm/smoke.test.ts', skips: [skip] });
  t.same(needy, []);
  t.same(result.skips, [skip]);
});

t.test('tests are selected by file, and a file that was skipped as a whole runs as a whole', async (t) => {
  const skipped = ['a.test.ts > one', 'a.test.ts > two > inner', 'b.test.ts > one', 'b.test.ts'];
  t.same(selectTests(skipped.map((name) => ({ name, reason: 'needs root' }))), [
    { file: 'a.test.ts', tests: ['one', 'two'] },
    { file: 'b.test.ts', tests: undefined },
  ]);
});

t.test('the filter matches only these names, whatever characters they have', async (t) => {
  const names = ['a (b) [c] $d ^e', 'args/paths', 'x|y'];
  const [, source = ''] = /^\/(.*)\/$/.exec(grepFor(names)) ?? [];
  for (const name of names) t.match(name, new RegExp(source));
  for (const other of ['args/paths and more', 'x', 'y']) t.notMatch(other, new RegExp(source));
});

t.test('an unknown tier is an error that names the tiers', async (t) => {
  const script = join(repoRoot, 'scripts/run-tests.mjs');
  const { status, stderr } = spawnSync(process.execPath, [script, '--tier', 'moon', 'unit/'], { encoding: 'utf8' });
  t.equal(status, 1);
  t.equal(stderr, 'run-tests.mjs: --tier is one of uml, qemu, aarch64, not moon\n');
});
