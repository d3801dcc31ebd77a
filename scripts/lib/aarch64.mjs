/**
 * build/aarch64: tsrun for 64-bit ARM, compiled on another machine (`scripts/setup.sh aarch64`): `standalone/tsrun`, and
 * Release with what is in build/Release here and the programs that tests use.
 *
 * What the build itself runs of it, the compiler of JavaScript and the engine that makes its own snapshot, runs in qemu's
 * user mode, with the cross compiler's libc.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { buildNative } from './native.mjs';
import { fail, inRoot } from './paths.mjs';
import { buildExecutable } from './standalone.mjs';

const directory = inRoot('build/aarch64');
const tools = 'aarch64-linux-gnu';

/** Debian's packages for that machine, unpacked by scripts/setup.sh. */
const inPackages = (file) => path.join(directory, 'packages', file);

/** @type {import('./native.mjs').Machine} */
const aarch64 = {
  buildDir: path.join(directory, 'native'),
  outputDir: path.join(directory, 'Release'),
  node: '/usr/bin/node',
  definitions: [
    '--CDCMAKE_SYSTEM_NAME=Linux',
    '--CDCMAKE_SYSTEM_PROCESSOR=aarch64',
    `--CDCMAKE_C_COMPILER=${tools}-gcc`,
    `--CDCMAKE_CXX_COMPILER=${tools}-g++`,
    `--CDTSRUN_LIBSECCOMP=${inPackages('usr/lib/aarch64-linux-gnu/libseccomp.a')}`,
    `--CDTSRUN_LIBSECCOMP_HEADERS=${inPackages('usr/include')}`,
    `--CDCMAKE_CROSSCOMPILING_EMULATOR=qemu-aarch64;-L;/usr/${tools}`,
  ],
};

export async function buildForAarch64() {
  buildNative(aarch64);
  await buildExecutable(path.join(directory, 'standalone'), aarch64);
  buildHelpers(path.join(aarch64.outputDir, 'helpers-c'));
}

/** test/harness/c-helper.ts compiles them where there is a compiler. */
function buildHelpers(output) {
  mkdirSync(output, { recursive: true });
  for (const source of readdirSync(inRoot('test/helpers-c'))) {
    const program = path.join(output, path.basename(source, '.c'));
    const args = ['-static', '-O1', '-Wall', '-Wextra', '-Werror', '-o', program, inRoot('test/helpers-c', source)];
    const { status, stderr } = spawnSync(`${tools}-gcc`, args, { encoding: 'utf8' });
    if (status !== 0) fail(`${source} does not compile for aarch64: ${stderr}`);
  }
}
