#!/usr/bin/env node
/**
 * Writes docs/support.md from the tables the code runs on.
 *
 * `node scripts/generate-support.mjs [--check]`; --check writes nothing and fails when the file is stale.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { build } from 'esbuild';
import { inRoot } from './lib/paths.mjs';

const document = inRoot('docs', 'support.md');
const bundled = inRoot('build', `support-${process.pid}.mjs`);

await main(process.argv.includes('--check'));

async function main(check) {
  const text = await supportText();
  if (text === currentText()) return;
  if (check) {
    console.error('docs/support.md is stale; run: node scripts/generate-support.mjs');
    process.exitCode = 1;
    return;
  }
  mkdirSync(inRoot('docs'), { recursive: true });
  writeFileSync(document, text);
}

/** The tables are TypeScript, which Node cannot load before version 22. */
async function supportText() {
  try {
    await build({
      entryPoints: [inRoot('scripts/lib/support.ts')],
      outfile: bundled,
      bundle: true,
      platform: 'node',
      format: 'esm',
      external: ['*.node'],
      logLevel: 'warning',
      define: { TSRUN_VERSION: '""', TSRUN_COMMIT: '""', TSRUN_STANDALONE: 'false' },
    });
    return (await import(bundled)).supportText();
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
