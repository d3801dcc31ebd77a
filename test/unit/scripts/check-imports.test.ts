/** The lint that keeps the folders of src in order finds what it is there for; src itself is for lint to check. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import t from 'tap';
import { repoRoot } from '../../harness/host.ts';

const script = join(repoRoot, 'scripts/check-imports.mjs');

function check(directory: string) {
  return spawnSync(process.execPath, [script, directory], { encoding: 'utf8' });
}

t.test('an import that leads up, and circles of files and of folders, are faults', async (t) => {
  const directory = t.testdir({
    linux: { 'names.ts': "import type { Plan } from '../plan/plan.ts';\n" },
    plan: { 'plan.ts': "import { print } from './print.ts';\n", 'print.ts': "import './plan.ts';\n" },
    run: {
      ops: { 'mount.ts': "export { hint } from '../words/hint.ts';\n" },
      words: { 'hint.ts': "await import('../ops/mount.ts');\n" },
    },
  });
  const { status, stderr } = check(directory);
  t.match(stderr, 'src/linux/names.ts imports src/plan/plan.ts: scripts/lib/rooms.mjs does not let linux import plan');
  t.match(stderr, /^files in a circle: .*plan\/p/m);
  t.match(stderr, /^folders in a circle: .*run\/(ops|words)/m);
  t.equal(status, 1);
});
