/** build/standalone/tsrun: the same command without Node, as one executable. */
import { copyFileSync, mkdirSync, renameSync } from 'node:fs';
import { bundleForEngine } from './bundle.mjs';
import { buildEngine } from './native.mjs';
import { inRoot } from './paths.mjs';
import { quickjsSources } from './quickjs.mjs';

/** Compiles the engine, which has the command's JavaScript in it as bytecode. */
export async function buildStandalone() {
  const modules = inRoot('build/engine-js');
  await bundleForEngine(modules);
  buildEngine({ quickjs: quickjsSources(), modules });
  mkdirSync(inRoot('build/standalone'), { recursive: true });
  // By another name first: the executable may be running.
  copyFileSync(inRoot('build/Release/tsrun-engine'), inRoot('build/standalone/tsrun.new'));
  renameSync(inRoot('build/standalone/tsrun.new'), inRoot('build/standalone/tsrun'));
}
