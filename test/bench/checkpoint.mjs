/** Checkpoint and restore of a process with 100 MB of memory, in the test VM, where CRIU works with all three runtimes. */
import { loadVmLibrary } from '../../scripts/lib/vm.mjs';
import { align, medianOf } from './report.mjs';
import { compile } from './timer.mjs';

/** Seconds. */
const patience = 3000;

/** @returns {Promise<string>} a table for people */
export async function checkpoints({ work, rounds }) {
  const { runInVm } = await loadVmLibrary();
  const program = compile(work, 'frozen', '-static');
  const script = new URL('checkpoint-inside.mjs', import.meta.url).pathname;
  const { exitCode, stdout, stderr } = await runInVm({
    tier: 'qemu',
    // These have crun's library of CRIU, too.
    packages: 'engines',
    command: ['node', script, program, String(rounds)],
    shares: [work],
    timeoutSeconds: patience,
    onStderr: (data) => process.stderr.write(data),
  });
  if (exitCode !== 0) throw new Error(`the VM's part ended with ${exitCode}: ${stderr}`);
  return table(JSON.parse(stdout));
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
