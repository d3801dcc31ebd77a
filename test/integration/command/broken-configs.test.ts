/** What a terminal shows for a broken config: the property, its place with a mark, and a way out. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { atTerminal, defaultSpec, requires, sandbox } from '../../harness/index.ts';
import { brokenLinux } from './broken/linux.ts';
import { brokenMounts } from './broken/mounts.ts';
import { brokenProcesses } from './broken/process.ts';
import { brokenRest } from './broken/rest.ts';

const skip = requires({ root: true, runtime: 'tsrun', commands: ['script'] });

const configs = { ...brokenProcesses, ...brokenMounts, ...brokenLinux, ...brokenRest };

t.test('the error of each broken config names the property and a way out', { skip }, async (t) => {
  t.ok(Object.keys(configs).length >= 76);
  const box = sandbox(t);
  const bundle = box.bundle();
  for (const [what, { edit, property, wayOut, marked }] of Object.entries(configs)) {
    const spec = defaultSpec();
    edit(spec, bundle.directory);
    bundle.writeRaw(JSON.stringify(spec, null, 2));
    const { code, shown } = await atTerminal(box, bundle.directory, `run ${box.newId()}`);
    const lines = shown.trimEnd().split('\n');
    const first = lines[0] ?? '';
    t.not(code, 0, what);
    t.match(first, /^error: /, what);
    t.match(first, property, what);
    t.match(shown, wayOut, `${what}: a way out`);
    const at = lines.findIndex((line) => / --> config\.json:\d+:\d+$/.test(line));
    const [source = '', mark = ''] = lines.slice(at + 1);
    const column = mark.indexOf('^');
    t.ok(at > 0 && column > 0, `${what}: a place and a mark in ${shown}`);
    t.match(source.slice(column, column + (mark.match(/\^+/)?.[0].length ?? 0)), marked, `${what}: what is marked`);
    t.notMatch(shown, /level=|internal error/, what);
  }
});

t.test('text that is not a config at all', { skip }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle();
  const path = join(bundle.directory, 'config.json');
  const texts: Readonly<Record<string, [text: string, says: RegExp]>> = {
    'a comma too many': ['{\n  "ociVersion": "1.0.2",\n}', /--> config\.json:3:1\n3 \| \}\n/],
    'a single quote': ['{\n  \'ociVersion\': "1.0.2"\n}', /--> config\.json:2:3\n/],
    'half a file': ['{\n  "ociVersion": "1.0.2"', /hint: .*disk full/],
    'an empty file': ['', /hint: `tsrun spec` writes/],
    'a list': ['[]', /must be an object/],
    'nothing that it needs': ['{}', /required property "ociVersion" is missing/],
  };
  for (const [what, [text, says]] of Object.entries(texts)) {
    writeFileSync(path, text);
    const { code, shown } = await atTerminal(box, bundle.directory, `run ${box.newId()}`);
    t.equal(code, 1, what);
    t.match(shown, /^error: /, what);
    t.match(shown, says, what);
  }
  const file = await atTerminal(box, '/', `run --bundle ${path} c`);
  t.match(
    file.shown,
    /^error: JSON specification file config\.json not found: --bundle is a directory, and .* a file\nhint: --bundle /,
  );
});
