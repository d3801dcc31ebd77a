/** A damaged plan is refused before init reads beyond its end. */
import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { addon } from '../../src/addon.ts';
import { lower } from '../../src/lower/create-plan.ts';
import { repoRoot, requires } from '../harness/index.ts';
import { everythingPossible } from '../unit/lower/everything.ts';
import { capableHost } from '../unit/lower/host.ts';
import { blob, slot } from './decode.ts';
import { rounds, seed } from './random.ts';

const skip = requires({ files: ['build/Release/tsrun.node'], commands: ['g++'] });

const sanitizers = ['-fsanitize=address,undefined', '-fno-sanitize-recover=all'];

t.test('damaged plans', { skip }, async (t) => {
  const directory = t.testdir();
  const program = join(directory, 'plan-check');
  const source = join(repoRoot, 'test/fuzz/plan-check.cc');
  execFileSync('g++', ['-std=c++17', '-O1', '-g', '-Wall', '-Wextra', ...sanitizers, '-o', program, source]);
  const file = join(directory, 'plan');
  const { ops } = lower(everythingPossible(), capableHost({}), { id: 'c1', bundle: '/bundle' });
  const fd = addon().memfd('fuzz', 0);
  addon().writePlan(fd, ops, new Proxy({}, { get: () => slot }), new Proxy({}, { get: () => blob }), -1);
  copyFileSync(`/proc/self/fd/${fd}`, file);
  closeSync(fd);
  const count = rounds(200_000);
  const accepted = Number(execFileSync(program, [file, String(seed), String(count)], { encoding: 'utf8' }));
  t.ok(accepted > 0 && accepted < count, `${accepted} of ${count} are accepted`);
  writeFileSync(file, '');
  t.equal(spawnSync(program, [file, '1', '1']).status, 4, 'an empty one is none');
});
