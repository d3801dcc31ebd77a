import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { demandNoteFormat, newerKeeper, noteFormat } from '../../../src/shim/versions.ts';
import { repoRoot } from '../../harness/host.ts';

t.test('files of tasks', (t) => {
  for (const format of [undefined, 1, noteFormat]) demandNoteFormat({ format }, 'file');
  t.throws(() => demandNoteFormat({ format: noteFormat + 1 }, 'file'), /file: of a newer tsrun/);
  t.end();
});

t.test('keepers', (t) => {
  const text = readFileSync(join(repoRoot, 'addon/keeper/main.cc'), 'utf8');
  const [, ours = ''] = /kVersion = "(\d+)"/.exec(text) ?? [];
  for (const said of [undefined, '1', ours]) t.equal(newerKeeper(said), undefined);
  t.match(newerKeeper(String(Number(ours) + 1)), /the keeper is of a newer tsrun/);
  t.end();
});
