/** How the executables are linked: what an attacker who can write somewhere in them finds fixed, writable or executable. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { repoRoot, requires, run, sandbox } from '../../harness/index.ts';

const needs = { runtime: 'tsrun', commands: ['readelf'] };
const skip = requires(needs);

const files = {
  standalone: 'build/standalone/tsrun',
  init: 'build/Release/tsrun-init',
  launcher: 'build/Release/tsrun',
  addon: 'build/Release/tsrun.node',
};

async function readelf(file: string): Promise<string> {
  return (await run('readelf', ['--file-header', '--segments', '--dynamic', '--notes', '--wide', join(repoRoot, file)]))
    .stdout;
}

for (const [name, file] of Object.entries(files)) {
  t.test(`${name}: no memory is both written and executed, and what is relocated is read-only`, { skip }, async (t) => {
    const text = await readelf(file);
    t.match(text, /^ *GNU_STACK .* RW +0x/m);
    t.match(text, /^ *GNU_RELRO /m);
    t.notMatch(text, /^ *\S+ +0x.* RWE +0x/m);
    t.notMatch(text, /TEXTREL/);
    // Of a static executable nothing is bound later.
    if (/^ *INTERP /m.test(text) || name === 'addon') t.match(text, /FLAGS.*BIND_NOW|FLAGS_1.*NOW/);
  });
}

t.test('init and the launcher have no fixed address', { skip }, async (t) => {
  for (const file of [files.init, files.launcher]) {
    const text = await readelf(file);
    t.match(text, /Type: +DYN/, file);
    t.notMatch(text, /^ *INTERP /m, file);
  }
});

t.test('init is built for control-flow enforcement', { skip: skip || process.arch !== 'x64' }, async (t) => {
  t.match(await readelf(files.init), /x86 feature: IBT, SHSTK/);
});

/** Where the init of a container that waits for start has its file. */
async function initOf(box: ReturnType<typeof sandbox>): Promise<string> {
  const { pid } = await box.state(await box.create(box.bundle()));
  const line = readFileSync(`/proc/${pid}/maps`, 'utf8')
    .split('\n')
    .find((each) => each.includes('tsrun-init'));
  return line?.split('-')[0] ?? '';
}

t.test('each init is somewhere else', { skip: requires({ ...needs, root: true }) }, async (t) => {
  const box = sandbox(t);
  const places = new Set([await initOf(box), await initOf(box), await initOf(box)]);
  t.equal(places.size, 3, [...places].join(' '));
});
