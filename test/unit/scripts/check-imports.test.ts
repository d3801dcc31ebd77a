/** The lint of imports between the folders of src finds wrong ones. Lint itself checks src. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import t from 'tap';
import { repoRoot } from '../../harness/host.ts';

const script = join(repoRoot, 'scripts/check-imports.mjs');

function check(...directories: string[]) {
  return spawnSync(process.execPath, [script, ...directories], { encoding: 'utf8' });
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
  const { status, stderr } = check(directory, directory);
  t.match(stderr, 'src/linux/names.ts imports src/plan/plan.ts: scripts/lib/rooms.mjs does not let linux import plan');
  t.match(stderr, /^files in a circle: .*plan\/p/m);
  t.match(stderr, /^folders in a circle: .*run\/(ops|words)/m);
  t.equal(status, 1);
});

t.test('exports that only tests run, or nobody at all, are faults', async (t) => {
  const directory = t.testdir({
    src: {
      linux: {
        'names.ts': [
          'export const read = 1;\nexport const late = 1;\nexport const later = 1;\nexport const whole = 1;',
          'const own = 1;\nexport { own };\nexport const tested = 1;\nexport const dead = 1;\nexport const alone = 1;',
          'export interface Shape {}\nexport interface Odd {}\nexport const use = (shape: Shape) => [shape, tested];',
        ].join('\n'),
        'all.ts': 'export const one = 1;\n',
      },
      plan: {
        'plan.ts': [
          "import { read as other, use } from '../linux/names.ts';\nexport { whole } from '../linux/names.ts';",
          "const { late } = await import('../linux/names.ts');\n(await import('../linux/names.ts')).later;",
          "await Promise.all([import('../linux/all.ts')]);",
        ].join('\n'),
      },
    },
    test: { 'names.test.ts': "import { dead, tested } from '../src/linux/names.ts';\n" },
  });
  const { stderr } = check(join(directory, 'src'), join(directory, 'test'));
  const found = stderr.split('\n').filter((line) => /imports? \w+$/.test(line));
  t.strictSame(found, [
    'src/linux/names.ts: nobody imports own',
    'src/linux/names.ts: only tests import dead',
    'src/linux/names.ts: nobody imports alone',
    'src/linux/names.ts: nobody imports Odd',
    'src/plan/plan.ts: nobody imports whole',
  ]);
});
