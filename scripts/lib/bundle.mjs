/** TypeScript to JavaScript, by esbuild: the CLI as one CommonJS file, the tests as one ES module each. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { build } from 'esbuild';
import { inRoot, root } from './paths.mjs';

/**
 * build/tsrun.cjs. CommonJS, because Node starts it faster than an ES module; not minified, because a stack trace of a
 * bug must be readable.
 */
export async function bundleCli({ standalone = false, outfile = inRoot('build/tsrun.cjs') } = {}) {
  await build({
    ...common(),
    entryPoints: [inRoot('src/cli/main.ts')],
    outfile,
    format: 'cjs',
    define: { ...buildInfo(), TSRUN_STANDALONE: String(standalone) },
    // See there; Node has its own loaded already.
    alias: standalone ? { 'node:fs': inRoot('src/standalone/fs.ts') } : {},
  });
}

/** build/test/**: one .test.mjs for each test/**\/*.test.ts, with source maps so that failures name the .ts line. */
export async function bundleTests() {
  const entryPoints = testFiles().map((file) => inRoot(file));
  rmSync(inRoot('build/test'), { recursive: true, force: true });
  await build({
    ...common(),
    entryPoints,
    outdir: inRoot('build/test'),
    outbase: inRoot('test'),
    outExtension: { '.js': '.mjs' },
    format: 'esm',
    packages: 'external',
    sourcemap: 'inline',
    // The addon is looked for beside build/tsrun.cjs, as the CLI finds it.
    define: {
      ...buildInfo(),
      TSRUN_STANDALONE: 'false',
      __filename: JSON.stringify(inRoot('build/tsrun.cjs')),
      __dirname: JSON.stringify(inRoot('build')),
    },
  });
}

/** Paths of all test files, relative to the checkout, in a stable order. */
export function testFiles() {
  const files = readdirSync(inRoot('test'), { recursive: true, encoding: 'utf8' });
  return files
    .filter((file) => file.endsWith('.test.ts'))
    .map((file) => `test/${file}`)
    .sort();
}

function common() {
  return {
    absWorkingDir: root,
    bundle: true,
    platform: 'node',
    target: 'node20',
    external: ['*.node'],
    logLevel: 'warning',
  };
}

function buildInfo() {
  const { version } = JSON.parse(readFileSync(inRoot('package.json'), 'utf8'));
  return { TSRUN_VERSION: JSON.stringify(version), TSRUN_COMMIT: JSON.stringify(commit()) };
}

/** The short commit hash, or `unknown` outside a git checkout (a release tarball). */
function commit() {
  try {
    const options = { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] };
    return execFileSync('git', ['rev-parse', '--short=12', 'HEAD'], options).trim();
  } catch {
    return 'unknown';
  }
}
