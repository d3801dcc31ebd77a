/** build/standalone/tsrun: the same command without Node, as one executable. */
import { copyFileSync, mkdirSync, renameSync } from 'node:fs';
import path from 'node:path';
import { bundleForEngine } from './bundle.mjs';
import { buildEngine, buildNative, debugMachine, thisMachine } from './native.mjs';
import { inRoot } from './paths.mjs';
import { quickjsSources } from './quickjs.mjs';

/** Compiles the engine, which contains the command's JavaScript as bytecode. */
export async function buildStandalone() {
  await buildExecutable(inRoot('build/standalone'), thisMachine);
}

/** build/debug/standalone/tsrun and build/debug/Release: with symbols. */
export async function buildDebug() {
  buildNative(debugMachine);
  await buildExecutable(inRoot('build/debug/standalone'), debugMachine);
}

/** @param {import('./native.mjs').Machine} machine that it is for */
export async function buildExecutable(directory, machine) {
  const modules = inRoot('build/engine-js');
  await bundleForEngine(modules);
  buildEngine({ quickjs: quickjsSources(), modules }, machine);
  mkdirSync(directory, { recursive: true });
  const executable = path.join(directory, 'tsrun');
  // Under another name first, because the executable may be running.
  copyFileSync(path.join(machine.outputDir, 'tsrun-engine'), `${executable}.new`);
  renameSync(`${executable}.new`, executable);
}
