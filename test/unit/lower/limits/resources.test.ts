import t from 'tap';
import type { LinuxResources } from '../../../../src/generated/spec.ts';
import { type CurrentLimits, ioWeightOf, noLimits } from '../../../../src/linux/cgroup-values.ts';
import { controllersOf, lowerResources } from '../../../../src/lower/limits/resources.ts';
import { weightOfShares } from '../../../../src/lower/limits/resources-cpu.ts';
import { capableHost } from '../host.ts';

const { cgroup } = capableHost();

/** The writes as `file value`, in their order. */
function writes(resources: LinuxResources, current: CurrentLimits = noLimits): string[] {
  return lowerResources(resources, cgroup, current).settings.map(({ op }) => {
    if (op.op === 'write-cgroup-file') return `${op.file} ${op.value}`;
    if (op.op === 'set-io-weight') return `weight ${op.device} ${op.weight}`;
    if (op.op === 'check-memory-use') return `check ${op.limit} ${op.swap}`;
    return op.op;
  });
}

t.test('memory', async (t) => {
  t.strictSame(writes({ memory: { limit: 100, swap: 150, reservation: 50 } }), [
    'memory.max 100',
    'memory.swap.max 50',
    'memory.low 50',
  ]);
  t.strictSame(writes({ memory: { limit: 100, swap: 100 } }), ['memory.max 100', 'memory.swap.max 0']);
  t.strictSame(writes({ memory: { limit: 100, swap: -1 } }), ['memory.max 100', 'memory.swap.max max']);
  t.strictSame(writes({ memory: { limit: -1 } }), ['memory.max max', 'memory.swap.max max']);
  t.strictSame(writes({ memory: { limit: 0, swap: 0 } }), [], '0 is not set');
  t.strictSame(writes({ memory: { reservation: -1 } }), ['memory.low max']);
  t.strictSame(writes({ memory: { limit: -1, swap: 150 } }), ['memory.max max', 'memory.swap.max 150']);
  t.strictSame(writes({ memory: { limit: 100, checkBeforeUpdate: true } })[0], 'check 100 -1');
  t.strictSame(writes({ memory: { limit: 2 ** 63 } }), ['memory.max 9223372036854775808'], 'beyond 2^53');
});

t.test('swap alone is relative to the current limit', async (t) => {
  t.strictSame(writes({ memory: { swap: 150 } }, { ...noLimits, memory: 100 }), ['memory.swap.max 50']);
  t.throws(() => writes({ memory: { swap: 150 } }), /^\/linux\/resources\/memory\/swap: .*memory has no limit/);
  t.throws(() => writes({ memory: { swap: 50 } }, { ...noLimits, memory: 100 }), /memory\/swap: 50 is less than/);
});

t.test('cpu', async (t) => {
  t.strictSame(writes({ cpu: { quota: 50_000, period: 200_000, burst: 1000 } }), [
    'cpu.max 50000 200000',
    'cpu.max.burst 1000',
  ]);
  t.strictSame(writes({ cpu: { quota: 50_000 } }), ['cpu.max 50000 100000']);
  t.strictSame(writes({ cpu: { period: 50_000 } }), ['cpu.max max 50000']);
  t.strictSame(writes({ cpu: { quota: -1 } }), ['cpu.max max 100000']);
  t.strictSame(writes({ cpu: { quota: -1 } }, { ...noLimits, cpuPeriod: 20_000 }), ['cpu.max max 20000']);
  t.strictSame(
    writes({ cpu: { quota: -1, period: 100_000 } }, { ...noLimits, cpuQuota: '7000', cpuPeriod: 20_000 }),
    ['cpu.max max 100000'],
    'also the default period is written',
  );
  t.strictSame(writes({ cpu: { period: 50_000 } }, { ...noLimits, cpuQuota: '7000' }), ['cpu.max 7000 50000']);
  t.strictSame(writes({ cpu: { quota: 9000 } }, { ...noLimits, cpuPeriod: 20_000 }), ['cpu.max 9000 20000']);
  t.strictSame(writes({ cpu: { cpus: '0-1', mems: '0' } }), ['cpuset.cpus 0-1', 'cpuset.mems 0']);
  t.strictSame(writes({ cpu: { idle: 0, shares: 1024 } }), ['cpu.idle 0', 'cpu.weight 100']);
});

t.test('a weight takes effect once idle ends', async (t) => {
  const weight = (value: string) => ({ file: 'cpu.weight', value });
  const idle = { ...noLimits, idle: true, weight: '0' };
  const cases: [what: string, LinuxResources, CurrentLimits, string[], string | undefined][] = [
    ['given with idle', { cpu: { idle: 1, shares: 512 } }, noLimits, ['cpu.idle 1'], '59'],
    ['in force before', { cpu: { idle: 1 } }, { ...noLimits, weight: '300' }, ['cpu.idle 1'], '300'],
    ['given meanwhile', { cpu: { shares: 512 } }, { ...idle, keptWeight: weight('300') }, [], '59'],
    ['given meanwhile by unified', { unified: { 'cpu.weight': '7' } }, idle, [], '7'],
    ['other changes meanwhile', { pids: { limit: 5 } }, { ...idle, keptWeight: weight('300') }, ['pids.max 5'], '300'],
    [
      'comes back',
      { cpu: { idle: 0 } },
      { ...idle, keptWeight: weight('300') },
      ['cpu.idle 0', 'cpu.weight 300'],
      undefined,
    ],
    ['never configured', { cpu: { idle: 0 } }, idle, ['cpu.idle 0', 'cpu.weight 100'], undefined],
    [
      'given at the end',
      { unified: { 'cpu.weight': '7', 'cpu.idle': '0' } },
      idle,
      ['cpu.idle 0', 'cpu.weight 7'],
      undefined,
    ],
    ['was not idle', { cpu: { idle: 0 } }, { ...noLimits, weight: '300' }, ['cpu.idle 0'], undefined],
  ];
  for (const [what, resources, current, expected, kept] of cases) {
    const { keptWeight, warnings } = lowerResources(resources, cgroup, current);
    t.strictSame(writes(resources, current), expected, what);
    t.strictSame(keptWeight, kept === undefined ? undefined : weight(kept), what);
    t.equal(warnings.length, what.startsWith('given') && kept !== undefined ? 1 : 0, what);
  }
});

t.test('shares become weights as with runc and crun', async (t) => {
  for (const [shares, weight] of [
    [1, 1],
    [2, 1],
    [512, 59],
    [1024, 100],
    [2048, 174],
    [262_144, 10_000],
    [1e6, 10_000],
  ])
    t.equal(weightOfShares(shares as number), weight, `${shares}`);
});

t.test('blockIO weights become io weights as with runc', async (t) => {
  for (const [weight, io] of [
    [10, 1],
    [100, 910],
    [500, 4950],
    [1000, 10_000],
  ])
    t.equal(ioWeightOf(weight as number), io);
});

t.test('pids, 0 included', async (t) => {
  t.strictSame(writes({ pids: { limit: 0 } }), ['pids.max 0']);
  t.strictSame(writes({ pids: { limit: -1 } }), ['pids.max max']);
});

t.test('blockIO', async (t) => {
  const device = { major: 8, minor: 0 };
  t.strictSame(
    writes({
      blockIO: {
        weight: 300,
        weightDevice: [{ ...device, weight: 500 }],
        throttleReadBpsDevice: [{ ...device, rate: 1000 }],
        throttleWriteIOPSDevice: [{ ...device, rate: 0 }],
      },
    }),
    ['weight default 300', 'weight 8:0 500', 'io.max 8:0 rbps=1000', 'io.max 8:0 wiops=max'],
  );
});

t.test('hugepages: the reservation first', async (t) => {
  t.strictSame(writes({ hugepageLimits: [{ pageSize: '2MB', limit: 2 ** 64 }] }), [
    'hugetlb.2MB.rsvd.max 18446744073709551615',
    'hugetlb.2MB.max 18446744073709551615',
  ]);
});

t.test('rdma', async (t) => {
  t.strictSame(writes({ rdma: { mlx5_0: { hcaHandles: 3, hcaObjects: 0 }, a: { hcaObjects: 1 } } }), [
    'rdma.max mlx5_0 hca_handle=3 hca_object=0',
    'rdma.max a hca_object=1',
  ]);
  t.throws(() => writes({ rdma: { 'a b': { hcaHandles: 1 } } }), /rdma\/a b: not the name/);
});

t.test('unified comes last and a line at a time', async (t) => {
  t.strictSame(writes({ unified: { 'io.max': '8:0 rbps=1\n8:16 rbps=2\n' }, pids: { limit: 7 } }), [
    'pids.max 7',
    'io.max 8:0 rbps=1',
    'io.max 8:16 rbps=2',
  ]);
  const { settings } = lowerResources({ unified: { 'memory.high': '1', 'cgroup.max.depth': '2' } }, cgroup);
  t.strictSame(controllersOf(settings), ['memory']);
});

t.test('unified names no other file', async (t) => {
  for (const file of [
    '../memory.max',
    'a/memory.max',
    '..',
    '',
    'memory',
    'cgroup.procs',
    'cgroup.kill',
    'cgroup.freeze',
  ])
    t.throws(() => writes({ unified: { [file]: '1' } }), /^\/linux\/resources\/unified\//, file);
});

t.test('a missing controller is named, with the hierarchy that has it', async (t) => {
  const hybrid = {
    ...cgroup,
    mode: 'hybrid' as const,
    controllers: ['hugetlb'],
    v1Controllers: { blkio: '/sys/fs/cgroup/blkio' },
  };
  t.throws(
    () => lowerResources({ blockIO: { weight: 100 } }, hybrid),
    /^\/linux\/resources\/blockIO\/weight: controller io is missing.*cgroup v1, at \/sys\/fs\/cgroup\/blkio/,
  );
  t.throws(() => lowerResources({ pids: { limit: 1 } }, hybrid), /controller pids.*the kernel does not offer it/);
  t.throws(() => lowerResources({ unified: { 'misc.max': 'a 1' } }, hybrid), /unified\/misc\.max: controller misc/);
  t.strictSame(
    lowerResources({ pids: { limit: -1 }, memory: { limit: -1 } }, hybrid).settings,
    [],
    'no limit needs none',
  );
});

t.test('on a host without cgroup v2 there are no limits', async (t) => {
  const none = { ...cgroup, mode: 'none' as const, mount: null, controllers: [] };
  t.throws(() => lowerResources({ memory: { limit: 1 } }, none), /memory\/limit: no cgroup v2 is mounted/);
  t.strictSame(lowerResources({}, none).settings, []);
});

t.test('what only cgroup v1 can do is refused by name', async (t) => {
  const refused: [string, LinuxResources][] = [
    ['memory/kernel', { memory: { kernel: 1 } }],
    ['memory/kernelTCP', { memory: { kernelTCP: 1 } }],
    ['memory/swappiness', { memory: { swappiness: 0 } }],
    ['memory/disableOOMKiller', { memory: { disableOOMKiller: true } }],
    ['memory/useHierarchy', { memory: { useHierarchy: false } }],
    ['cpu/realtimeRuntime', { cpu: { realtimeRuntime: 1 } }],
    ['cpu/realtimePeriod', { cpu: { realtimePeriod: 1 } }],
    ['network/classID', { network: { classID: 1 } }],
    ['network/priorities', { network: { priorities: [{ name: 'lo', priority: 1 }] } }],
    ['blockIO/leafWeight', { blockIO: { leafWeight: 10 } }],
    ['blockIO/weightDevice/0/leafWeight', { blockIO: { weightDevice: [{ major: 8, minor: 0, leafWeight: 10 }] } }],
  ];
  for (const [place, resources] of refused)
    t.throws(() => writes(resources), { message: new RegExp(`^/linux/resources/${place}: only cgroup v1`) }, place);
  t.doesNotThrow(() =>
    writes({
      memory: { kernel: -1, kernelTCP: 0, disableOOMKiller: false, useHierarchy: true },
      cpu: { realtimeRuntime: 0 },
      network: { classID: 0, priorities: [] },
    }),
  );
});
