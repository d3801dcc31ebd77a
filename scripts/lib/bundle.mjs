/** TypeScript to JavaScript, by esbuild: the CLI as one CommonJS file, the library and the shim, the tests as one ES module each. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { build } from 'esbuild';
import { inRoot, root } from './paths.mjs';

/**
 * build/tsrun.cjs. CommonJS, because Node starts it faster than an ES module; not minified, because a stack trace of a
 * bug must be readable.
 */
export async function bundleCli() {
  await build({
    ...common(),
    entryPoints: [inRoot('src/cli/node.ts')],
    outfile: inRoot('build/tsrun.cjs'),
    format: 'cjs',
    define: { ...buildInfo(), TSRUN_STANDALONE: 'false' },
  });
}

/** __dirname, which an ES module does not have; src/addon.ts looks there. import.meta.dirname came with Node 20.11. */
const dirnameOfModule = [
  `import { dirname as tsrunDirname } from 'node:path';`,
  `import { fileURLToPath as tsrunPathOf } from 'node:url';`,
  'const __dirname = tsrunDirname(tsrunPathOf(import.meta.url));',
].join('\n');

/** build/library.mjs, build/shim.mjs and its engine, and build/library-worker.cjs for the workers that both start. */
export async function bundleLibrary() {
  await build({
    ...common(),
    entryPoints: [inRoot('src/library/worker.ts')],
    outfile: inRoot('build/library-worker.cjs'),
    format: 'cjs',
    define: { ...buildInfo(), TSRUN_STANDALONE: 'false' },
  });
  await build({
    ...common(),
    entryPoints: {
      library: inRoot('src/library/index.ts'),
      shim: inRoot('src/shim/main.ts'),
      'shim-engine': inRoot('src/shim/engine.ts'),
    },
    outdir: inRoot('build'),
    outExtension: { '.js': '.mjs' },
    format: 'esm',
    // addon/shim prints the first line.
    banner: { js: `// tsrun ${version()} (${commit()})\n${dirnameOfModule}` },
    define: { ...buildInfo(), TSRUN_STANDALONE: 'false' },
  });
}

/** Replacements of Node's modules for an engine that has none: our own, or well-known ones for browsers. */
const nodeModules = {
  'node:fs': inRoot('src/standalone/fs.ts'),
  'node:os': inRoot('src/standalone/os.ts'),
  'node:path': inRoot('src/standalone/path.ts'),
  'node:events': 'events/',
};

/**
 * The modules of Node that commander requires, as CommonJS. It uses files and programs only for executable subcommands,
 * which tsrun does not have.
 */
const forCommander = {
  name: 'for-commander',
  setup(build) {
    const contents = { 'node:process': 'module.exports = process;', 'node:fs': '', 'node:child_process': '' };
    build.onResolve({ filter: /^node:(process|fs|child_process)$/ }, ({ path, importer }) =>
      importer.includes('/node_modules/commander/') ? { path, namespace: 'for-commander' } : undefined,
    );
    build.onLoad({ filter: /.*/, namespace: 'for-commander' }, ({ path }) => ({ contents: contents[path] }));
  },
};

/**
 * ES modules in a directory; the engine runs globals.js first. They are split where the sources import at run time,
 * because such an import must find a module.
 */
export async function bundleForEngine(outdir) {
  rmSync(outdir, { recursive: true, force: true });
  await build({
    ...common(),
    entryPoints: { globals: inRoot('src/standalone/globals.ts'), entry: inRoot('src/standalone/entry.ts') },
    outdir,
    format: 'esm',
    splitting: true,
    platform: 'neutral',
    mainFields: ['module', 'main'],
    target: 'es2023',
    define: { ...buildInfo(), TSRUN_STANDALONE: 'true' },
    alias: nodeModules,
    plugins: [forCommander],
  });
}

/** build/test/**: one .test.mjs for each test/**\/*.test.ts, with source maps so that failures name the .ts line. */
export async function bundleTests() {
  rmSync(inRoot('build/test'), { recursive: true, force: true });
  await bundleTap();
  await bundleForNode(testFiles());
}

/** build/node_modules/tap, which Node finds first. One file in place of 260 saves each test file 0.25 s of CPU. */
async function bundleTap() {
  const directory = inRoot('build/node_modules/tap');
  mkdirSync(directory, { recursive: true });
  writeFileSync(`${directory}/package.json`, '{ "name": "tap", "type": "module", "exports": "./index.js" }\n');
  await build({
    ...common(),
    stdin: { contents: "export * from 'tap'; export { default } from 'tap';", resolveDir: root },
    outfile: `${directory}/index.js`,
    format: 'esm',
    banner: {
      js: "import { createRequire as tsrunRequire } from 'node:module'; const require = tsrunRequire(import.meta.url);",
    },
    plugins: [withoutReact],
  });
}

/** tap would load React to print its elements. */
const withoutReact = {
  name: 'without-react',
  setup(build) {
    const filter = /\/tcompare\/.*\/react-element-to-jsx-string\.js$/;
    build.onLoad({ filter }, () => ({ contents: "export default () => '';" }));
  },
};

/** A program in test/ that `npm test` does not run: build/test/PATH.mjs. */
export async function bundleProgram(file) {
  await bundleForNode([file]);
}

async function bundleForNode(files) {
  await build({
    ...common(),
    entryPoints: files.map((file) => inRoot(file)),
    outdir: inRoot('build/test'),
    outbase: inRoot('test'),
    outExtension: { '.js': '.mjs' },
    format: 'esm',
    packages: 'external',
    sourcemap: 'inline',
    // Node parses the map whenever a test makes a stack trace; it reads the source from the .ts file.
    sourcesContent: false,
    // Tests look for the addon beside build/tsrun.cjs, as the CLI does.
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
  return { TSRUN_VERSION: JSON.stringify(version()), TSRUN_COMMIT: JSON.stringify(commit()) };
}

function version() {
  return JSON.parse(readFileSync(inRoot('package.json'), 'utf8')).version;
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
