/** Writes generated files that are part of the checkout. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { inRoot } from './paths.mjs';

/**
 * Writes a file; with --check on the command line only compares it.
 *
 * @param {string} path in the checkout
 * @param {string} text
 * @returns {boolean} whether it was stale and has not been written
 */
export function emit(path, text) {
  const file = inRoot(path);
  if (text === currentText(file)) return false;
  if (process.argv.includes('--check')) {
    console.error(`${path} is stale; run: node scripts/${basename(process.argv[1])}`);
    return true;
  }
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  return false;
}

function currentText(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
    return undefined;
  }
}
