/** The programs of test/helpers-c, compiled for a machine that has no compiler. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { fail, inRoot } from './paths.mjs';

/**
 * Compiles those that have changed. Where there is a compiler, test/harness/c-helper.ts does it.
 *
 * @param {string} compiler
 * @param {string} output the directory for them
 */
export function buildHelpers(compiler, output) {
  mkdirSync(output, { recursive: true });
  for (const name of readdirSync(inRoot('test/helpers-c'))) {
    const source = inRoot('test/helpers-c', name);
    const program = path.join(output, path.basename(name, '.c'));
    if (timeOf(program) > timeOf(source)) continue;
    const args = ['-static', '-O1', '-Wall', '-Wextra', '-Werror', '-o', program, source];
    const { status, stderr } = spawnSync(compiler, args, { encoding: 'utf8' });
    if (status !== 0) fail(`${compiler} does not compile ${name}: ${stderr}`);
  }
}

function timeOf(file) {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
