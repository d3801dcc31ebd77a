/** execCPUAffinity and the other attributes of a process that `exec` adds, seen from inside. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { Process } from '../../../src/generated/spec.ts';
import { requires, sandbox } from '../../harness/index.ts';

/** The CPUs this test may use; a container gets no others. */
const cpus = /^Cpus_allowed_list:\s*(.*)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '';
const first = /^\d+/.exec(cpus)?.[0] ?? '';
const last = /\d+$/.exec(cpus)?.[0] ?? '';

const skip = requires({ root: true, runtime: 'tsrun' });

/** Runs a process in a container that sleeps, and gives what it says. */
async function exec(t: Test, edit: (process: Process) => void) {
  const box = sandbox(t);
  const bundle = box.bundle((spec) => {
    spec.process.args = ['/bin/sleep', '1000'];
    // Not for the container's first process.
    spec.process.execCPUAffinity = { initial: last, final: last };
  });
  const id = await box.create(bundle);
  await box.runtimeOk(['start', id]);
  const process: Process = { ...bundle.spec.process, args: ['/bin/cat', '/proc/self/status'] };
  delete process.execCPUAffinity;
  edit(process);
  const path = join(box.directory, 'process.json');
  writeFileSync(path, JSON.stringify(process));
  const result = await box.runtime(['exec', '--process', path, id]);
  const { pid } = await box.state(id);
  return { ...result, init: readFileSync(`/proc/${pid}/status`, 'utf8') };
}

function allowed(status: string): string | undefined {
  return /^Cpus_allowed_list:\s*(.*)$/m.exec(status)?.[1];
}

t.test(
  'final is what the process has in the end; init keeps the caller’s',
  { skip: skip || (first === last && 'needs two CPUs') },
  async (t) => {
    const { stdout, init } = await exec(t, (process) => {
      process.execCPUAffinity = { initial: first, final: last };
    });
    t.equal(allowed(stdout), last);
    t.equal(allowed(init), cpus);
  },
);

t.test('initial alone stays', { skip: skip || (first === last && 'needs two CPUs') }, async (t) => {
  const { stdout } = await exec(t, (process) => {
    process.execCPUAffinity = { initial: first };
  });
  t.equal(allowed(stdout), first);
});

t.test('unset leaves the caller’s', { skip }, async (t) => {
  t.equal(allowed((await exec(t, () => {})).stdout), cpus);
});

t.test('CPUs that the host does not have are refused by name', { skip }, async (t) => {
  const { code, stderr } = await exec(t, (process) => {
    process.execCPUAffinity = { final: '4000' };
  });
  t.not(code, 0);
  t.match(stderr, 'process.execCPUAffinity.final: set-cpu-affinity 4000: EINVAL');
});

t.test('scheduler, memory limits and priorities are those of the process', { skip }, async (t) => {
  const { stdout } = await exec(t, (process) => {
    process.args = [
      '/bin/sh',
      '-c',
      "cut -d' ' -f41,19,40 /proc/$$/stat; ionice -p $$; cat /proc/$$/oom_score_adj; true",
    ];
    process.scheduler = { policy: 'SCHED_BATCH', nice: 3 };
    process.ioPriority = { class: 'IOPRIO_CLASS_IDLE' };
    process.oomScoreAdj = 77;
  });
  t.equal(stdout, '3 0 3\nidle\n77\n');
});
