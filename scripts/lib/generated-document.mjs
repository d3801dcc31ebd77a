/** Makes documents from the code's own tables. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { build } from 'esbuild';
import { inRoot } from './paths.mjs';

/**
 * Writes a document if it is stale; with --check on the command line it fails instead, and writes nothing.
 *
 * @param document path in the checkout
 * @param source TypeScript that makes the text, a path in the checkout
 * @param make name of the function that returns it
 */
export async function generateDocument(document, source, make) {
  const path = inRoot(document);
  const text = await made(inRoot(source), make);
  if (text === currentText(path)) return;
  if (process.argv.includes('--check')) {
    console.error(`${document} is stale; run: node scripts/${basename(process.argv[1])}`);
    process.exitCode = 1;
    return;
  }
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

/** Bundled before: Node cannot load TypeScript before version 22. */
async function made(source, make) {
  const bundled = inRoot('build', `${make}-${process.pid}.mjs`);
  try {
    await build({
      entryPoints: [source],
      outfile: bundled,
      bundle: true,
      platform: 'node',
      format: 'esm',
      external: ['*.node'],
      logLevel: 'warning',
      define: { TSRUN_VERSION: '""', TSRUN_COMMIT: '""', TSRUN_STANDALONE: 'false' },
    });
    return (await import(bundled))[make]();
  } finally {
    rmSync(bundled, { force: true });
  }
}

function currentText(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
