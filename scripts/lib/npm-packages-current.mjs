/**
 * Exits with 0 if node_modules has what package-lock.json asks for. The file's time does not show that: git sets it at
 * every checkout.
 */
import { readFileSync } from 'node:fs';
import { inRoot } from './paths.mjs';

const wanted = packages('package-lock.json');
const installed = packages('node_modules/.package-lock.json');

// The optional packages are for other platforms.
const stale = Object.entries(wanted).some(
  ([place, { version, optional }]) => place !== '' && !optional && installed[place]?.version !== version,
);
process.exitCode = stale ? 1 : 0;

function packages(file) {
  return JSON.parse(readFileSync(inRoot(file), 'utf8')).packages;
}
