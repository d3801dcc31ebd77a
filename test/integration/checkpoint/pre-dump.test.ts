/** Memory that is saved in advance, while the container runs, so that little is left for the checkpoint. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { block, Checkpoints, type Witness, witness } from '../../harness/checkpointed.ts';
import { criuForTests, lacksFeature } from '../../harness/criu.ts';
import { requires, sandbox } from '../../harness/index.ts';

t.setTimeout(30 * 60 * 1000);
const criu = await criuForTests();
const skip = requires({ runtime: 'tsrun' }) || lacksFeature(criu, 'mem_dirty_track');

const pageSize = 4096;

function pageFiles(images: string) {
  const names = readdirSync(images).filter((name) => /^pages-\d+\.img$/.test(name));
  return names.map((name) => statSync(join(images, name)));
}

/** How many pages were saved there, and how many of them are still on the disk. */
const savedIn = (images: string) => pageFiles(images).reduce((sum, { size }) => sum + size / pageSize, 0);
const keptIn = (images: string) => pageFiles(images).reduce((sum, { blocks }) => sum + (blocks * 512) / pageSize, 0);

/** Three rounds, and then the checkpoint. */
async function inRounds(at: Checkpoints, id: string, flags: string[] = []) {
  await at.checkpoint(id, ['--pre-dump', ...flags], at.images('pre1'));
  await at.checkpoint(id, ['--pre-dump', '--parent-path', '../pre1', ...flags], at.images('pre2'));
  await at.checkpoint(id, ['--pre-dump', '--parent-path', '../pre2', ...flags], at.images('pre3'));
  await at.checkpoint(id, ['--parent-path', '../pre3', ...flags]);
}

t.test('after three --pre-dump the checkpoint saves only what has changed since', { skip }, async (t) => {
  const at = new Checkpoints(sandbox(t), criu);
  const bundle = at.bundle(undefined, ['memory']);
  const id = await at.start(bundle);
  await inRounds(at, id);
  const saved = witness(bundle) as Witness;
  t.equal(saved.intact, block.pages);
  t.ok(savedIn(at.images('pre1')) >= block.pages, 'the first saves all of the block');
  for (const later of [at.images('pre2'), at.images('pre3'), at.images()]) {
    const pages = savedIn(later);
    t.ok(pages >= block.changing && pages < block.pages / 2, `${pages} pages are saved in ${later}`);
  }
  t.equal(keptIn(at.images('pre1')), savedIn(at.images('pre1')), 'none is dropped');
  const preDump = ['--image-path', at.images('pre1'), '--bundle', bundle.directory];
  t.match((await at.runtime(['restore', ...preDump, at.box.newId()])).stderr, /hint: it is a --pre-dump/);
  await at.restore(bundle);
  t.equal((await at.goesOn(bundle, saved)).intact, block.pages, 'what was saved first is there, too');
});

t.test('--auto-dedup drops from earlier images what later ones have', { skip }, async (t) => {
  const at = new Checkpoints(sandbox(t), criu);
  const bundle = at.bundle(undefined, ['memory']);
  const id = await at.start(bundle);
  await inRounds(at, id, ['--auto-dedup']);
  const saved = witness(bundle) as Witness;
  const first = at.images('pre1');
  const dropped = savedIn(first) - keptIn(first);
  t.ok(dropped >= block.changing, `${dropped} pages of the first are dropped`);
  await at.restore(bundle);
  t.equal((await at.goesOn(bundle, saved)).intact, block.pages);
});
