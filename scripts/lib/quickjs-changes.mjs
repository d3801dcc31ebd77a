/**
 * What we change in the engine's sources, as lists of replacements. Each says how often it must match: if another release
 * of the engine does not fit, the build fails.
 */
import { fail } from './paths.mjs';
import { arrays } from './quickjs-arrays.mjs';
import { blocks } from './quickjs-blocks.mjs';
import { immortals } from './quickjs-immortal.mjs';
import { interpreting } from './quickjs-interpreter.mjs';
import { json } from './quickjs-json.mjs';
import { shortcuts } from './quickjs-shortcuts.mjs';

/** @typedef {{ find: string | RegExp, put: string, times: number }} Change */

/** @type {Change[]} */
const changes = [...blocks, ...json, ...shortcuts, ...arrays, ...interpreting, ...immortals];

/** All of them as text: another list needs other sources. */
export const listOfChanges = () => changes.map(({ find, put }) => `${find}\n${put}`).join('\n');

/** @param {string} source quickjs.c */
export function withChanges(source) {
  return changes.reduce((text, { find, put, times }) => {
    const found = typeof find === 'string' ? text.split(find).length - 1 : [...text.matchAll(find)].length;
    if (found !== times) fail(`quickjs.c has ${found} places like ${find} where ${times} are expected`);
    return typeof find === 'string' ? text.split(find).join(put) : text.replace(find, put);
  }, source);
}
