/**
 * build/aarch64: tsrun for 64-bit ARM, cross-compiled (`scripts/setup.sh aarch64`): `standalone/tsrun`, and Release
 * with the files of build/Release and the programs that tests use.
 *
 * The build runs two of its own programs, the compiler of JavaScript and the engine that makes its own snapshot. They
 * run in qemu's user mode, with the cross compiler's libc.
 */
import path from 'node:path';
import { buildHelpers } from './helpers-c.mjs';
import { buildNative } from './native.mjs';
import { inRoot } from './paths.mjs';
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
  buildHelpers(`${tools}-gcc`, path.join(aarch64.outputDir, 'helpers-c'));
}
