/** build/standalone: the same command without Node, as an executable that bun makes of the bundled TypeScript. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { bundleCli } from './bundle.mjs';
import { buildNative } from './native.mjs';
import { fail, inRoot } from './paths.mjs';

const outputDir = inRoot('build/standalone');

/**
 * bun reads .env and bunfig.toml of its working directory unless told not to when it compiles; in a root tool that is
 * started in a bundle, a `preload` there would be a hole. The two others are off by default and kept so.
 */
const noAutoload = ['dotenv', 'bunfig', 'tsconfig', 'package-json'].map((what) => `--no-compile-autoload-${what}`);

/** Writes build/standalone/{tsrun,tsrun-js,tsrun.node}; the three belong together, in any one directory. */
export async function buildStandalone() {
  buildNative();
  const bundle = inRoot('build/standalone.cjs');
  await bundleCli({ standalone: true, outfile: bundle });
  mkdirSync(outputDir, { recursive: true });
  const executable = `${outputDir}/tsrun-js`;
  rmSync(executable, { force: true });
  const args = ['build', '--compile', '--bytecode', '--minify', ...noAutoload, bundle, '--outfile', executable];
  const { status, stdout, stderr } = spawnSync(bun(), args, { encoding: 'utf8', env: { PATH: process.env.PATH } });
  if (status !== 0) fail(`bun could not compile the command:\n${stdout}${stderr}`);
  for (const file of ['tsrun', 'tsrun.node']) {
    rmSync(`${outputDir}/${file}`, { force: true });
    copyFileSync(inRoot('build/Release', file), `${outputDir}/${file}`);
  }
}

/** bun's own binary; its package's install script, which npm may not have run, would only move it. */
function bun() {
  const arch = { x64: 'x64', arm64: 'aarch64' }[process.arch];
  const places = [`@oven/bun-linux-${arch}/bin/bun`, 'bun/bin/bun.exe'].map((file) => inRoot('node_modules', file));
  return places.find((file) => existsSync(file)) ?? fail('bun is not in node_modules: run npm ci');
}
