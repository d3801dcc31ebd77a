/** The standalone executable's engine, without the executable: what it prints is what Node prints. */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { repoRoot, requires } from '../harness/index.ts';

const engine = join(repoRoot, 'build/native/engine');

export const noEngine = requires({
  files: ['tsrun-compiler', 'tsrun-engine-empty'].map((name) => join(engine, name)),
});

/** @param script JavaScript that declares `results`, an array of strings */
export function sameAsNode(t: Test, script: string, name: string): void {
  const expected: string[] = new Function(`'use strict';${script}\nreturn results;`)();
  const directory = t.testdir();
  const file = (name: string) => join(directory, name);
  // What an engine does while it makes its snapshot is enough: an error ends it with a message.
  writeFileSync(
    file('globals.js'),
    `${script}
    ${JSON.stringify(expected)}.forEach((result, i) => {
      if (result !== results[i]) throw new Error(i + ': ' + results[i].slice(0, 500) + ' is not ' + result.slice(0, 500));
    });
    throw new Error(results.length + ' results are the same');`,
  );
  const compiled = spawnSync(join(engine, 'tsrun-compiler'), [file('image'), `globals.js=${file('globals.js')}`]);
  t.equal(compiled.status, 0, String(compiled.stderr));
  const ran = spawnSync(join(engine, 'tsrun-engine-empty'), [file('image'), file('out')], { encoding: 'utf8' });
  t.match(ran.stderr, `${expected.length} results are the same`, name);
}
