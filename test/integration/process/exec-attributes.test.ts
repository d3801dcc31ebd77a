/** execCPUAffinity and other attributes of processes that `exec` adds, seen from inside. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { Process } from '../../../src/generated/spec.ts';
import { requires, run, runtimePath, sandbox } from '../../harness/index.ts';

/** The CPUs this test may use; a container gets no others. */
const cpus = /^Cpus_allowed_list:\s*(.*)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '';
const first = /^\d+/.exec(cpus)?.[0] ?? '';
const last = /\d+$/.exec(cpus)?.[0] ?? '';

const skip = requires({ root: true, runtime: 'tsrun' });
const needsTwo = skip || (first === last && 'needs two CPUs');

/** Runs a process in a container that sleeps; returns its output. */
async function exec(t: Test, edit: (process: Process) => void) {
  const box = sandbox(t);
  const bundle = box.bundle((spec) => {
    spec.process.args = ['/bin/sleep', '1000'];
    // Not for the container's first process.
    spec.process.execCPUAffinity = { initial: last, final: last };
  });
  const id = await box.createAndStart(bundle);
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

t.test('final is what the process has in the end; init keeps its own', { skip: needsTwo }, async (t) => {
  const { stdout, init } = await exec(t, (process) => {
    process.execCPUAffinity = { initial: first, final: last };
  });
  t.equal(allowed(stdout), last);
  t.equal(allowed(init), cpus);
});

t.test('initial alone stays', { skip: needsTwo }, async (t) => {
  const { stdout } = await exec(t, (process) => {
    process.execCPUAffinity = { initial: first };
  });
  t.equal(allowed(stdout), first);
});

t.test('the caller’s CPUs stay on no process', { skip: needsTwo }, async (t) => {
  const box = sandbox(t);
  // No pipes: a container that is detached would keep them open.
  const files = { outputFiles: join(box.directory, 'output') };
  const onOne = (...args: string[]) => run('taskset', ['-c', first, runtimePath, '--root', box.root, ...args], files);
  const status = ['/bin/grep', 'Cpus_allowed_list', '/proc/self/status'];
  const bundle = box.bundle(({ process }) => (process.args = status));
  const { stdout } = await onOne('run', '--bundle', bundle.directory, box.newId());
  t.equal(allowed(stdout), cpus, 'run');
  bundle.edit(({ process }) => (process.args = ['/bin/sleep', '1000']));
  const id = box.newId();
  t.equal((await onOne('run', '--detach', '--bundle', bundle.directory, id)).code, 0);
  t.equal(allowed(readFileSync(`/proc/${(await box.state(id)).pid}/status`, 'utf8')), cpus, 'run --detach');
  t.equal(allowed((await onOne('exec', id, ...status)).stdout), cpus, 'exec');
});

t.test('CPUs that the host does not have are refused by name', { skip }, async (t) => {
  const { code, stderr } = await exec(t, (process) => {
    process.execCPUAffinity = { final: '4000' };
  });
  t.not(code, 0);
  t.match(stderr, /process\.json:1:\d+: \/execCPUAffinity\/final: set-cpu-affinity 4000: EINVAL/);
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

t.test('a missing working directory is an error, and is not made', { skip }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle(({ process }) => (process.args = ['/bin/sleep', '1000']));
  const id = await box.createAndStart(bundle);
  for (const cwd of ['/typo', '/tmp/typo/below']) {
    const { code, stderr } = await box.runtime(['exec', '--cwd', cwd, id, 'true']);
    t.equal(code, 255);
    t.match(stderr, `chdir to ${cwd}: no such file or directory`);
  }
  t.notOk(bundle.has('typo'));
  t.equal((await box.runtime(['exec', '--cwd', '/tmp', id, 'pwd'])).stdout, '/tmp\n');
});
