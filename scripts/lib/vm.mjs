/** Loads the VM's library for scripts. It is TypeScript, so it is bundled first (some 20 ms). */
import { mkdirSync, rmSync } from 'node:fs';
import { build } from 'esbuild';
import { inRoot } from './paths.mjs';

/** @type {Promise<typeof import('../../test/vm/index.ts')> | undefined} */
let library;

export function loadVmLibrary() {
  library ??= load();
  return library;
}

async function load() {
  mkdirSync(inRoot('build/vm'), { recursive: true });
  const bundle = inRoot(`build/vm/index.${process.pid}.mjs`);
  try {
    await build({
      entryPoints: [inRoot('test/vm/index.ts')],
      outfile: bundle,
      bundle: true,
      platform: 'node',
      target: 'node20',
      format: 'esm',
      sourcemap: 'inline',
      logLevel: 'warning',
    });
    return await import(bundle);
  } finally {
    rmSync(bundle, { force: true });
  }
}
