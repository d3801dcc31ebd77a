/** The short form of `npm run fuzz`, where clang is installed: the targets in C++, from their corpora. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import t from 'tap';
import { repoRoot, requires } from '../harness/index.ts';
import { rounds } from './random.ts';

const skip = requires({ commands: ['clang++'] });

for (const [target, runs] of [
  ['plan', 10_000],
  ['json', 100_000],
  ['passwd', 50_000],
] as const) {
  t.test(target, { skip }, async (t) => {
    const args = [join(repoRoot, 'scripts/fuzz.mjs'), '--runs', String(rounds(runs)), target];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    t.equal(status, 0, stderr.slice(-4000));
    t.match(stdout, 'nothing found');
  });
}
