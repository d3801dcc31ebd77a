/** Slurm with the runtime under test in oci.conf: all containers belong to an ordinary user. */
import t, { type Test } from 'tap';
import { requires, waitFor } from '../harness/index.ts';
import { engineTrees } from './engine-tree.ts';
import { bundle, Slurm } from './slurm.ts';

const skip = engineTrees();

t.test('Slurm', { skip }, async (t) => {
  const slurm = await Slurm.start(t, 'flags first');
  // Limits are whole minutes, and are checked every half minute: this job runs beside the others.
  const limited = slurm.sbatchToEnd(['--time=1'], 'echo begun; sleep 4321');
  await t.test('steps', (t) => steps(t, slurm));
  await t.test('steps that fail', (t) => failures(t, slurm));
  await t.test('batch jobs', (t) => batch(t, slurm));
  await t.test('jobs that are cancelled', (t) => cancels(t, slurm));
  await t.test('an array of many short jobs', (t) => manyJobs(t, slurm));
  await t.test('a time limit', async (t) => {
    const { id } = await limited;
    t.equal(await slurm.stateOf(id), 'TIMEOUT');
    t.match(await slurm.outputOfJob(id), ['begun']);
    t.ok(await slurm.waitForEnd('sleep 4321'));
  });
  t.equal(await slurm.states(), '', 'no job has left a state behind');
});

// crun accepts only one order.
const alsoIdFirst = skip || requires({ runtime: ['tsrun', 'runc'] });

t.test('Slurm with flags after the id', { skip: alsoIdFirst }, async (t) => {
  const slurm = await Slurm.start(t, 'id first');
  const { code, stdout } = await slurm.srun(['--nodes=2'], '/bin/sh', '-c', 'echo $SLURMD_NODENAME $(id -u)');
  t.equal(code, 0);
  t.same(lines(stdout), ['n1 0', 'n2 0']);
});

async function steps(t: Test, slurm: Slurm) {
  const one = await slurm.srun([], '/bin/sh', '-c', 'cat /proc/self/uid_map /proc/sys/kernel/hostname; ls /; pwd');
  t.match(one.stdout, /^ +0 +1000 +1\n/);
  t.match(one.stdout, /^bin\n[\s\S]*\n\/\n$/m, 'the root filesystem of the bundle');
  const where = 'echo $SLURMD_NODENAME $SLURM_PROCID $$';
  t.same(lines((await slurm.srun(['--nodes=2'], '/bin/sh', '-c', where)).stdout), ['n1 0 1', 'n2 1 1']);
  const eight = await slurm.srun(['--nodes=2', '--ntasks=8'], '/bin/sh', '-c', 'echo $SLURM_PROCID');
  t.same(lines(eight.stdout), ['0', '1', '2', '3', '4', '5', '6', '7'], 'one container for each task');
  const cat = await slurm.asUser(['srun', `--container=${bundle}`, '/bin/cat'], { input: 'from outside\n' });
  t.match(cat, { code: 0, stdout: 'from outside\n' });
}

async function failures(t: Test, slurm: Slurm) {
  t.match(await slurm.srun([], '/bin/sh', '-c', 'exit 7'), { code: 7, stderr: /Exited with exit code 7/ });
  const mixed = await slurm.srun(['--ntasks=2'], '/bin/sh', '-c', 'exit $((3 * $SLURM_PROCID))');
  t.equal(mixed.code, 3, 'the highest of all tasks');
  t.match(await slurm.srun([], '/no/such/program'), { code: 1, stderr: /no such file|not found/i });
  const missing = await slurm.asUser(['srun', '--container=/home/user/none', '/bin/true']);
  t.not(missing.code, 0);
}

async function batch(t: Test, slurm: Slurm) {
  const good = await slurm.sbatch([], 'echo $SLURM_JOB_ID in $(id -u) with $(ls / | wc -l)');
  const bad = await slurm.sbatch([], 'exit 9');
  await slurm.waitForState(good, 'COMPLETED');
  t.match(await slurm.outputOfJob(good), [new RegExp(`^${good} in 0 with \\d+$`)]);
  await slurm.waitForState(bad, 'FAILED');
  t.match(await slurm.place.outputOf(['scontrol', 'show', 'job', bad]), /ExitCode=9:0/);
}

async function cancels(t: Test, slurm: Slurm) {
  const id = await slurm.sbatch([], 'echo begun; sleep 5432');
  await waitFor('the job to begin', async () => (await slurm.outputOfJob(id)).includes('begun') || undefined);
  await slurm.asUser(['scancel', id]);
  await slurm.waitForState(id, 'CANCELLED');
  t.ok(await slurm.waitForEnd('sleep 5432'));

  const deaf = await slurm.sbatch([], 'trap "" TERM; echo begun; sleep 5433');
  await waitFor('the deaf job to begin', async () => (await slurm.outputOfJob(deaf)).includes('begun') || undefined);
  await slurm.asUser(['scancel', deaf]);
  await slurm.waitForState(deaf, 'CANCELLED');
  t.ok(await slurm.waitForEnd('sleep 5433'), 'SIGKILL comes after KillWait');
  await slurm.forget(deaf);

  const job = (seconds: number) => ['--nodes=2', `--job-name=on-both-${seconds}`];
  const onBoth = (seconds: number) =>
    waitFor('both tasks', async () => {
      const running = ['sh', '-c', `pgrep -fx "sleep ${seconds}" | wc -l`];
      return (await slurm.place.outputOf(running)) === '2\n' || undefined;
    });

  const cancelled = slurm.srun(job(6542), '/bin/sh', '-c', 'sleep 6542; exit 5');
  await onBoth(6542);
  await slurm.asUser(['scancel', '--name=on-both-6542']);
  t.not((await cancelled).code, 0);
  t.ok(await slurm.waitForEnd('sleep 6542'));

  // A signal that ends no other process: at SIGTERM Slurm may finish the step before it has read the container's
  // output.
  const told = slurm.srun(job(6543), '/bin/sh', '-c', 'trap "echo told; exit 4" URG; sleep 6543 & wait');
  await onBoth(6543);
  await slurm.asUser(['scancel', '--signal=URG', '--name=on-both-6543']);
  t.match(await told, { code: 4, stdout: 'told\ntold\n' }, 'a signal reaches each container’s init');
  t.ok(await slurm.waitForEnd('sleep 6543'));
}

async function manyJobs(t: Test, slurm: Slurm) {
  const count = 200;
  const { id, code } = await slurm.sbatchToEnd([`--array=1-${count}`], 'echo $SLURM_ARRAY_TASK_ID of $(id -u)');
  t.equal(code, 0);
  const expected = Array.from({ length: count }, (_, index) => `${index + 1} of 0`);
  t.same((await slurm.outputOfJob(id)).sort(), expected.sort());
}

/** Sorted, because tasks write in any order. */
function lines(text: string): string[] {
  return text.trim().split('\n').sort();
}
