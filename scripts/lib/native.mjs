/** The native build: cmake-js drives addon/CMakeLists.txt out of tree; results are in build/Release. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fail, inRoot, root } from './paths.mjs';

const buildDir = inRoot('build/native');
const outputDir = inRoot('build/Release');
const stampFile = path.join(buildDir, '.inputs');

/** The command, the addon, and the init that the addon starts containers with. */
const outputs = ['tsrun', 'tsrun.node', 'tsrun-init'].map((name) => path.join(outputDir, name));

/** Node-API 8 is what Node 12.22, 14.17, 15.12 and later have; nothing newer is used. */
const napiVersion = 8;

/**
 * Builds what addon/ has the sources of, unless the last build had the same inputs. Never uses the network: addon/package.json
 * names `napi_versions`, by which cmake-js takes the headers of the node-api-headers package instead of downloading
 * Node's.
 */
export function buildNative() {
  const inputs = hashInputs();
  if (outputs.every(existsSync) && readStamp() === inputs) return;

  if (configuredElsewhere()) rmSync(buildDir, { recursive: true, force: true });
  mkdirSync(buildDir, { recursive: true });
  rmSync(stampFile, { force: true });
  runCmakeJs();
  writeFileSync(stampFile, inputs);
}

function runCmakeJs() {
  const args = [
    inRoot('node_modules/cmake-js/bin/cmake-js'),
    'build',
    '--directory',
    inRoot('addon'),
    '--out',
    buildDir,
    `--CDCMAKE_LIBRARY_OUTPUT_DIRECTORY=${outputDir}`,
    `--CDCMAKE_RUNTIME_OUTPUT_DIRECTORY=${outputDir}`,
    '--CDCMAKE_EXPORT_COMPILE_COMMANDS=ON',
    `--CDTSRUN_NODE=${process.execPath}`,
    `--CDNAPI_VERSION=${napiVersion}`,
  ];
  const { status, error, stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' });
  const output = `${stdout ?? ''}${stderr ?? ''}`;
  if (error) fail(`cannot start cmake-js: ${error.message}`);
  if (status !== 0 || /\bwarning:/i.test(output)) process.stderr.write(output);
  if (status !== 0) fail('the native build failed; its output is above');
}

/** A build directory remembers absolute paths, so one of a checkout that was moved or copied is of no use. */
function configuredElsewhere() {
  const cache = path.join(buildDir, 'CMakeCache.txt');
  if (!existsSync(cache)) return false;
  return !readFileSync(cache, 'utf8').includes(`CMAKE_HOME_DIRECTORY:INTERNAL=${inRoot('addon')}\n`);
}

function readStamp() {
  return existsSync(stampFile) ? readFileSync(stampFile, 'utf8') : undefined;
}

/** Contents, not times: a checkout of another branch and back rebuilds nothing. */
function hashInputs() {
  const hash = createHash('sha256');
  hash.update(`${root}\n${process.versions.node}\n`);
  const files = readdirSync(inRoot('addon'), { recursive: true, encoding: 'utf8' }).sort();
  for (const file of files) {
    const full = inRoot('addon', file);
    if (!statSync(full).isFile()) continue;
    hash.update(`${file}\n`).update(readFileSync(full));
  }
  return hash.digest('hex');
}
