/** docs/checkpoint.md says of each flag of checkpoint and restore where it is tested, or why it is not. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { checkpoint } from '../../../src/cli/commands/checkpoint.ts';
import { restore } from '../../../src/cli/commands/restore.ts';
import { repoRoot } from '../../harness/host.ts';

const [, section = ''] = readFileSync(join(repoRoot, 'docs/checkpoint.md'), 'utf8').split('## Which flags are tested');
const rows = section.split('\n').filter((line) => /^\| .*`--/.test(line));

for (const { name, options } of [checkpoint, restore]) {
  t.test(name, async (t) => {
    for (const { flags } of options) {
      const [flag = ''] = /--[a-z-]+/.exec(flags) ?? [];
      const row = rows.find((line) =>
        line
          .split('|')[1]
          ?.split(/[^a-z-]/)
          .includes(flag),
      );
      t.ok(row, flag);
    }
  });
}

t.test('the tests are there, and give the flags', async (t) => {
  for (const row of rows) {
    const [, flags = '', where = ''] = row.split('|');
    const files = [...where.matchAll(/[\w-]+\.test\.ts/g)].map(([name]) =>
      join(repoRoot, 'test/integration/checkpoint', name),
    );
    t.ok(files.length > 0 && files.every((file) => existsSync(file)), row);
    const text = files.map((file) => readFileSync(file, 'utf8')).join('');
    for (const [flag] of flags.matchAll(/--[a-z-]+/g)) t.ok(text.includes(flag), `${flag} in ${where}`);
  }
});
