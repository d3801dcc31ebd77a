/**
 * Checkpoint and restore of a process with 100 MB of memory: in the test VM, or natively in the tree of Debian forky, which
 * is quicker and needs a kernel that CRIU works on.
 */
import path from 'node:path';
import { inRoot } from '../../scripts/lib/paths.mjs';
import { loadVmLibrary } from '../../scripts/lib/vm.mjs';
import { enterTree } from './engine-tree.mjs';
import { align, medianOf } from './report.mjs';
import { compile } from './timer.mjs';

/** Seconds. */
const patience = 3000;

const script = inRoot('test/bench/checkpoint-inside.mjs');

/** @returns {Promise<string>} a table for people */
export async function checkpoints({ work, cgroupDirectory, rounds, native }) {
  const program = compile(work, 'frozen', '-static');
  const command = ['node', script, program, String(rounds)];
  return table(JSON.parse(await (native ? natively(command, work, cgroupDirectory) : inVm(command, work))));
}

async function natively(command, work, cgroupDirectory) {
  const place = await enterTree(work, path.join(cgroupDirectory, 'checkpoint'));
  try {
    return place.run(command, inRoot('bin'));
  } finally {
    await place.end();
  }
}

async function inVm(command, work) {
  const { runInVm } = await loadVmLibrary();
  const { exitCode, stdout, stderr } = await runInVm({
    tier: 'qemu',
    // These have crun's library of CRIU, too.
    packages: 'engines',
    command,
    shares: [work],
    timeoutSeconds: patience,
    onStderr: (data) => process.stderr.write(data),
  });
  if (exitCode !== 0) throw new Error(`the VM's part ended with ${exitCode}: ${stderr}`);
  return stdout;
}

/** @param {Record<string, Record<string, number>[]>} samples milliseconds, by runtime */
function table({ versions, samples }) {
  const figures = Object.keys(samples.tsrun[0]);
  const median = (name, figure) => medianOf(samples[name].map((sample) => sample[figure]));
  const ratio = (figure, other) => (median('tsrun', figure) / median(other, figure)).toFixed(2);
  const names = Object.keys(samples);
  const lines = figures.map((figure) => [
    figure,
    ...names.map((name) => median(name, figure).toFixed(0)),
    ...names.filter((name) => name !== 'tsrun').map((other) => ratio(figure, other)),
  ]);
  const head = ['median ms', ...names, ...names.filter((name) => name !== 'tsrun').map((name) => `/ ${name}`)];
  return `${versions.join('\n')}\n${align([head, ...lines])}`;
}
