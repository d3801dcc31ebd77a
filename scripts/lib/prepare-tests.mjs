/**
 * Does early what the tests would do when they need it: installs their packages, and builds the trees and images of
 * Debian (docs/vm.md) in the order in which a whole run wants them. .ci/run starts it beside lint and build, which often
 * leave a CPU idle. What fails here the tests try again, and report.
 */
import { spawnSync } from 'node:child_process';
import { setPriority } from 'node:os';
import { root } from './paths.mjs';
import { loadVmLibrary } from './vm.mjs';

setPriority(10);
const setup = ['scripts/setup.sh', 'build', 'demo', 'bench', 'test', 'vm', 'aarch64'];
if (spawnSync('bash', setup, { cwd: root, stdio: ['ignore', 2, 2] }).status === 0) await buildAll();

async function buildAll() {
  const { ensureImage, ensureTree, vmAvailability } = await loadVmLibrary();
  if (!vmAvailability('uml').ok) return;
  const steps = [
    // The benchmark, checkpoints, and the VM that runs beside the first tests.
    () => ensureTree('forky', 'engines'),
    () => ensureImage('base', 'uml'),
    () => ensureImage('base', 'qemu'),
    () => ensureTree('trixie', 'engines'),
    () => ensureImage('base', 'aarch64'),
    () => ensureImage('engines', 'uml'),
    () => ensureImage('engines', 'qemu'),
  ];
  try {
    for (const step of steps) await step();
  } catch (error) {
    console.error(`prepare-tests.mjs: ${error.message}`);
  }
}
