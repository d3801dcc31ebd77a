/** The native build: cmake-js drives addon/CMakeLists.txt out of tree; results are in build/Release. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { fail, inRoot, root } from './paths.mjs';
import { quickjsDirectory } from './quickjs.mjs';

/** Node 12.22, 14.17, 15.12 and later have Node-API 8; nothing newer is used. */
const napiVersion = 8;

/**
 * A target of the build: its build directory, the directory of its results, and further definitions.
 *
 * @typedef {{ buildDir: string, outputDir: string, node: string, definitions: readonly string[] }} Machine
 */

/** @type {Machine} */
export const thisMachine = {
  buildDir: inRoot('build/native'),
  outputDir: inRoot('build/Release'),
  node: process.execPath,
  definitions: [],
};

/** The same with symbols, for gdb. @type {Machine} */
export const debugMachine = {
  ...thisMachine,
  buildDir: inRoot('build/debug/native'),
  outputDir: inRoot('build/debug/Release'),
  definitions: ['--CDTSRUN_DEBUG=ON'],
};

const sanitized = {
  ...thisMachine,
  buildDir: inRoot('build/sanitize/native'),
  outputDir: inRoot('build/sanitize/Release'),
};

/** Builds what Node needs: the launcher, the addon, and the init that the addon starts containers with. */
export function buildNative(machine = thisMachine) {
  build(
    machine,
    'node',
    ['tsrun', 'tsrun.node', 'tsrun-init', 'tsrun-shim-keeper', 'containerd-shim-tsrun-v2'],
    hashInputs(),
    [],
  );
}

/**
 * Builds tsrun-engine, the standalone executable.
 *
 * @param {{ quickjs: string, modules: string }} directories of QuickJS's sources and of the bundled JavaScript
 */
export function buildEngine({ quickjs, modules }, machine = thisMachine) {
  const inputs = hashInputs([modules]);
  const definitions = [`--CDTSRUN_QUICKJS=${quickjs}`, `--CDTSRUN_ENGINE_JS=${modules}`];
  build(machine, 'engine', ['tsrun-engine'], inputs, [...definitions, '--target', 'tsrun-engine']);
}

/**
 * build/sanitize/Release/tsrun-engine: the same with AddressSanitizer and UBSan, which need libc as a shared library.
 *
 * @param {{ quickjs: string, modules: string }} directories as above
 * @param {string} reports directory for what they find
 */
export function buildSanitizedEngine({ quickjs, modules }, reports) {
  const inputs = hashInputs([modules]);
  const definitions = [`--CDTSRUN_QUICKJS=${quickjs}`, `--CDTSRUN_ENGINE_JS=${modules}`];
  // With a collection in every command, the tests prove that the collector leaves the snapshot's objects alone.
  const sanitize = ['--CDTSRUN_STATIC=OFF', '--CDTSRUN_GC_THRESHOLD=1', `--CDTSRUN_SANITIZE_REPORTS=${reports}`];
  build(sanitized, 'engine', ['tsrun-engine'], inputs, [...definitions, ...sanitize, '--target', 'tsrun-engine']);
}

/**
 * Builds from the sources in addon/, unless the last build had the same inputs. Never uses the network: because
 * addon/package.json has `napi_versions`, cmake-js takes the headers of the node-api-headers package and does not
 * download Node's.
 */
function build(machine, name, outputs, inputs, more) {
  const { buildDir, outputDir } = machine;
  const stampFile = path.join(buildDir, `.inputs-${name}`);
  const complete = outputs.every((output) => existsSync(path.join(outputDir, output)));
  if (complete && existsSync(stampFile) && readFileSync(stampFile, 'utf8') === inputs) return;

  if (configuredElsewhere(buildDir)) rmSync(buildDir, { recursive: true, force: true });
  mkdirSync(buildDir, { recursive: true });
  rmSync(stampFile, { force: true });
  runCmakeJs(machine, more);
  writeFileSync(stampFile, inputs);
}

function runCmakeJs({ buildDir, outputDir, node, definitions }, more) {
  const options = [
    '--directory',
    inRoot('addon'),
    // make, where there is no ninja, would compile one file after another.
    '--parallel',
    String(availableParallelism()),
    '--out',
    buildDir,
    `--CDCMAKE_LIBRARY_OUTPUT_DIRECTORY=${outputDir}`,
    `--CDCMAKE_RUNTIME_OUTPUT_DIRECTORY=${outputDir}`,
    '--CDCMAKE_EXPORT_COMPILE_COMMANDS=ON',
    `--CDTSRUN_NODE=${node}`,
    `--CDNAPI_VERSION=${napiVersion}`,
    ...definitions,
    ...more,
  ];
  // `build` alone would keep the definitions of an earlier configuration.
  for (const command of ['configure', 'build']) {
    const args = [inRoot('node_modules/cmake-js/bin/cmake-js'), command, ...options];
    const { status, error, stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' });
    const output = `${stdout ?? ''}${stderr ?? ''}`;
    if (error) fail(`cannot start cmake-js: ${error.message}`);
    if (status !== 0 || /\bwarning:/i.test(output)) process.stderr.write(output);
    if (status !== 0) fail('the native build failed; its output is above');
  }
}

/** A build directory contains absolute paths, so it is of no use after the checkout was moved or copied. */
function configuredElsewhere(buildDir) {
  const cache = path.join(buildDir, 'CMakeCache.txt');
  if (!existsSync(cache)) return false;
  const text = readFileSync(cache, 'utf8');
  if (!text.includes(`CMAKE_HOME_DIRECTORY:INTERNAL=${inRoot('addon')}\n`)) return true;
  // Sources of another release of the engine do not fit.
  const engine = /^TSRUN_QUICKJS:PATH=(.+)$/m.exec(text)?.[1];
  return engine !== undefined && engine !== quickjsDirectory();
}

/** Contents, not times: switching to another branch and back rebuilds nothing. */
function hashInputs(moreDirectories = []) {
  const hash = createHash('sha256');
  hash.update(`${root}\n${process.versions.node}\n`);
  for (const directory of [inRoot('addon'), ...moreDirectories]) {
    const files = readdirSync(directory, { recursive: true, encoding: 'utf8' }).sort();
    for (const file of files) {
      const full = path.join(directory, file);
      if (!statSync(full).isFile()) continue;
      hash.update(`${file}\n`).update(readFileSync(full));
    }
  }
  return hash.digest('hex');
}
