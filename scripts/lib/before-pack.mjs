/**
 * Before `npm pack`: makes the library's types, and checks that everything is built that the package's commands and
 * library need.
 */
import { existsSync } from 'node:fs';
import { fail, inRoot } from './paths.mjs';
import { writeTypes } from './types.mjs';

const needed = ['library.mjs', 'library-worker.cjs', 'shim.mjs', 'shim-engine.mjs'].map((name) => `build/${name}`);
const machines = ['build', 'build/aarch64'].map((build) =>
  [
    'standalone/tsrun',
    ...['tsrun.node', 'tsrun-shim-keeper', 'containerd-shim-tsrun-v2'].map((name) => `Release/${name}`),
  ].map((file) => `${build}/${file}`),
);
const missing = (files) => files.filter((file) => !existsSync(inRoot(file)));

const lacks = [...missing(needed), ...(machines.every((files) => missing(files).length > 0) ? machines[0] : [])];
if (lacks.length > 0) fail(`not built: ${lacks.join(', ')}: npm run setup && npm run build`);
for (const file of missing(machines.flat()))
  process.stderr.write(`pack: ${file} is not built and not in the package\n`);
writeTypes();
