/** Each option of `update` on a running container, read back from its cgroup. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type Differences, isExempt, requires, run, sandbox, says } from '../../harness/index.ts';

const needs = (controllers: string[] = [], differs: Differences = {}) =>
  requires({ root: true, cgroup2: true, controllers, differs });

async function running(t: Test) {
  const box = sandbox(t);
  const { id, bundle } = await box.idle();
  return {
    update: (...flags: string[]) => box.runtime(['update', ...flags, id]),
    file: (name: string) => readFileSync(join(box.cgroupOf(bundle), name), 'utf8').trim(),
  };
}

const v1Options = { runc: 'ignores such options, those of kernel memory with a warning' };

type Case = readonly [flags: string[], file: string, value: string, differs?: Differences];

/** In this order, because later cases build on earlier ones. */
async function follow(t: Test, cases: readonly Case[]) {
  const { update, file } = await running(t);
  for (const [flags, name, value, differs] of cases) {
    if (isExempt(t, `${flags.join(' ')}: ${name}`, differs)) continue;
    t.match(await update(...flags), { code: 0, stdout: '' }, flags.join(' '));
    t.equal(file(name), value, `${flags.join(' ')}: ${name}`);
  }
}

const inBytes = { crun: 'takes bytes only: 64M are 64 bytes, which end the container' };

t.test('memory', { skip: needs(['memory'], inBytes) }, async (t) => {
  await follow(t, [
    [['--memory', '64M'], 'memory.max', '67108864'],
    [['--memory-swap', '96M'], 'memory.swap.max', '33554432'],
    [['--memory-reservation', '16M'], 'memory.low', '16777216'],
    [['--memory=128M', '--memory-swap=-1'], 'memory.swap.max', 'max'],
    [['--memory', '-1'], 'memory.max', 'max'],
  ]);
});

const noBurst = { crun: 'has no --cpu-burst and no --cpu-idle' };

t.test('cpu', { skip: needs(['cpu'], noBurst) }, async (t) => {
  await follow(t, [
    [['--cpu-quota', '30000'], 'cpu.max', '30000 100000'],
    [['--cpu-period', '50000'], 'cpu.max', '30000 50000'],
    [['--cpu-burst', '20000'], 'cpu.max.burst', '20000'],
    [['--cpu-share', '2048'], 'cpu.weight', '174'],
    [['--cpu-idle', '1'], 'cpu.idle', '1'],
    [['--cpu-idle', '0'], 'cpu.idle', '0'],
    [['--cpu-burst', '0'], 'cpu.max.burst', '0'],
    [['--cpu-quota', '-1'], 'cpu.max', 'max 50000', { runc: 'sets the period back to 100000' }],
    [['--cpu-quota', '30000', '--cpu-period', '50000'], 'cpu.max', '30000 50000'],
    [['--cpu-quota', '-1', '--cpu-period', '100000'], 'cpu.max', 'max 100000'],
    [['--cpu-quota', '90000'], 'cpu.max', '90000 100000'],
  ]);
});

const notGiven = { crun: 'takes 0 for not given', runc: 'takes 0 for not given' };

t.test('pids', { skip: needs(['pids']) }, async (t) => {
  await follow(t, [
    [['--pids-limit', '17'], 'pids.max', '17'],
    [['--pids-limit', '0'], 'pids.max', '0', notGiven],
    [['--pids-limit', '-1'], 'pids.max', 'max'],
  ]);
});

t.test('cpuset', { skip: needs(['cpuset']) }, async (t) => {
  await follow(t, [
    [['--cpuset-cpus', '1'], 'cpuset.cpus', '1'],
    [['--cpuset-cpus', '0-1'], 'cpuset.cpus', '0-1'],
    [['--cpuset-mems', '0'], 'cpuset.mems', '0'],
  ]);
});

t.test(
  'the weight of block IO',
  // Only the VM, which has this user, may load modules; the kernel of UML has no weights.
  { skip: needs(['io', 'cpuset']) || requires({ files: ['/home/user'], commands: ['modprobe'] }) },
  async (t) => {
    t.equal((await run('modprobe', ['bfq'])).code, 0);
    await follow(t, [[['--blkio-weight', '300'], 'io.bfq.weight', 'default 300']]);
  },
);

t.test('what only cgroup v1 can do is an error', { skip: needs([], v1Options) }, async (t) => {
  const { update } = await running(t);
  for (const [flag, value, property] of [
    ['--cpu-rt-period', '100000', 'cpu/realtimePeriod'],
    ['--cpu-rt-runtime', '50000', 'cpu/realtimeRuntime'],
    ['--kernel-memory', '64M', 'memory/kernel'],
    ['--kernel-memory-tcp', '64M', 'memory/kernelTCP'],
  ] as const) {
    const { code, stderr } = await update(flag, value);
    t.equal(code, 1, flag);
    says(t, stderr, `/linux/resources/${property}: only cgroup v1 can do this`);
  }
});

const readsOn = { crun: 'does not refuse it' };

t.test('the error of a bad value names its option or property', { skip: needs() }, async (t) => {
  const { update } = await running(t);
  const badOptions: [string[], RegExp, Differences?][] = [
    [['--memory', 'lots'], /--memory: expected a size such as 512M/, { 'crun with cgroupfs': 'does not refuse it' }],
    [['--memory', '-5'], /memory\/limit|--memory/, readsOn],
    [['--pids-limit', '9e3'], /--pids-limit: expected a number/],
    [['--cpu-share', '-1'], /cpu\/shares: /, readsOn],
    [['--cpu-period', '-1'], /cpu\/period: /, readsOn],
    [['--cpu-burst', '-1'], /cpu\/burst: /, noBurst],
    [['--cpu-idle', 'yes'], /--cpu-idle: expected a number/, noBurst],
    [['--blkio-weight', '5'], /blockIO\/weight: must be between 10 and 1000, found 5/],
    [['--blkio-weight', '70000'], /blockIO\/weight: /],
    [['--l3-cache-schema', 'L3:0=f'], /--l3-cache-schema/, readsOn],
  ];
  for (const [flags, message, differs] of badOptions) {
    if (isExempt(t, flags.join(' '), differs)) continue;
    const { code, stderr } = await update(...flags);
    t.equal(code, 1, flags.join(' '));
    says(t, stderr, message, flags.join(' '));
  }
});
