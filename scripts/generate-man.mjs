#!/usr/bin/env node
/**
 * Writes docs/man/tsrun.1 from the declarations that the command line is parsed by.
 *
 * `node scripts/generate-man.mjs [--check]`; --check writes nothing and fails when the file is stale.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { build } from 'esbuild';
import { inRoot } from './lib/paths.mjs';

const document = inRoot('docs', 'man', 'tsrun.1');
const bundled = inRoot('build', `man-${process.pid}.mjs`);

await main(process.argv.includes('--check'));

async function main(check) {
  const text = await manualPage();
  if (text === currentText()) return;
  if (check) {
    console.error('docs/man/tsrun.1 is stale; run: node scripts/generate-man.mjs');
    process.exitCode = 1;
    return;
  }
  mkdirSync(inRoot('docs', 'man'), { recursive: true });
  writeFileSync(document, text);
}

/** The declarations are TypeScript, which Node cannot load before version 22. */
async function manualPage() {
  try {
    await build({
      entryPoints: [inRoot('scripts/lib/man.ts')],
      outfile: bundled,
      bundle: true,
      platform: 'node',
      format: 'esm',
      external: ['*.node'],
      logLevel: 'warning',
      define: { TSRUN_VERSION: '""', TSRUN_COMMIT: '""', TSRUN_STANDALONE: 'false' },
    });
    return (await import(bundled)).manualPage();
  } finally {
    rmSync(bundled, { force: true });
  }
}

function currentText() {
  try {
    return readFileSync(document, 'utf8');
  } catch {
    return undefined;
  }
}
