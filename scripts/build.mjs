#!/usr/bin/env node
/**
 * `npm run build [-- cli|native|tests|standalone|aarch64|debug ...]`. Without names: cli, native and standalone. Native
 * parts that are up to date are not built again.
 */
import { existsSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { buildForAarch64 } from './lib/aarch64.mjs';
import { bundleCli, bundleLibrary, bundleTests } from './lib/bundle.mjs';
import { buildNative } from './lib/native.mjs';
import { fail, inRoot } from './lib/paths.mjs';
import { buildDebug, buildStandalone } from './lib/standalone.mjs';

const parts = {
  cli: () => Promise.all([bundleCli(), bundleLibrary()]),
  native: () => buildNative(),
  tests: bundleTests,
  standalone: buildStandalone,
  aarch64: buildForAarch64,
  debug: buildDebug,
};

/**
 * What bin/tsrun leads to, the first of them that is built: the standalone executable, or the launcher of the form on
 * Node.
 */
const forms = ['standalone/tsrun', 'Release/tsrun'];

const names = process.argv.slice(2);
for (const name of names.length > 0 ? names : ['cli', 'native', 'standalone']) {
  if (!Object.hasOwn(parts, name)) fail(`unknown part ${name}; expected ${Object.keys(parts).join(', ')}`);
  try {
    await parts[name]();
  } catch (error) {
    // esbuild has printed its errors already; its exception only repeats them.
    fail(Array.isArray(error?.errors) ? `${name} does not build` : error);
  }
}
linkCommand();

/** build/tsrun, which bin/tsrun leads to. */
function linkCommand() {
  const form = forms.find((file) => existsSync(inRoot('build', file)));
  if (form === undefined) return;
  // By rename, because somebody may be starting it.
  rmSync(inRoot('build/tsrun.new'), { force: true });
  symlinkSync(form, inRoot('build/tsrun.new'));
  renameSync(inRoot('build/tsrun.new'), inRoot('build/tsrun'));
}
