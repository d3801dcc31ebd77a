/**
 * Exits with 0 if node_modules holds what package-lock.json asks for. git gives package-lock.json a new time at every
 * checkout, which says nothing of its contents.
 */
import { readFileSync } from 'node:fs';
import { inRoot } from './paths.mjs';

const wanted = packages('package-lock.json');
const installed = packages('node_modules/.package-lock.json');

// The optional packages are those of other platforms.
const stale = Object.entries(wanted).some(
  ([place, { version, optional }]) => place !== '' && !optional && installed[place]?.version !== version,
);
process.exitCode = stale ? 1 : 0;

function packages(file) {
  return JSON.parse(readFileSync(inRoot(file), 'utf8')).packages;
}
