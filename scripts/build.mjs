#!/usr/bin/env node
/**
 * `npm run build [-- cli|native|tests|standalone ...]`. Without names: the CLI and the native parts, which is all that bin/tsrun
 * needs. Parts that are up to date cost next to nothing.
 */
import { bundleCli, bundleTests } from './lib/bundle.mjs';
import { buildNative } from './lib/native.mjs';
import { fail } from './lib/paths.mjs';
import { buildStandalone } from './lib/standalone.mjs';

const parts = { cli: bundleCli, native: buildNative, tests: bundleTests, standalone: buildStandalone };

const names = process.argv.slice(2);
for (const name of names.length > 0 ? names : ['cli', 'native']) {
  if (!Object.hasOwn(parts, name)) fail(`unknown part ${name}; expected ${Object.keys(parts).join(', ')}`);
  try {
    await parts[name]();
  } catch (error) {
    // esbuild has printed its errors already; its exception only repeats them.
    fail(Array.isArray(error?.errors) ? `${name} does not build` : error);
  }
}
