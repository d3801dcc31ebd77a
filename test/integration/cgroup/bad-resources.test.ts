/** Impossible linux.resources: an error that names the property before anything is made, or the kernel's error. */
import { existsSync, readFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { type Differences, isExempt, requires, type Spec, sandbox, says } from '../../harness/index.ts';
import { removeCgroup } from '../../harness/leaks.ts';

const needs = (...controllers: string[]) => requires({ root: true, cgroup2: true, controllers });

/** As written in the config, valid or not. */
type Resources = Record<string, unknown>;

const set = (resources: Resources) => (spec: Spec) => {
  spec.linux.resources = resources as NonNullable<Spec['linux']['resources']>;
};

type Case = readonly [Resources, RegExp, Differences?];

const leaves = { crun: 'leaves the cgroup' };

/** `run` must refuse each in these words and leave no cgroup behind. */
async function refused(t: Test, cases: readonly Case[]): Promise<void> {
  for (const [resources, words, differs] of cases) {
    const name = JSON.stringify(resources);
    if (isExempt(t, name, differs)) continue;
    const box = sandbox(t);
    const bundle = box.bundle(set(resources));
    const { code, stderr } = await box.runtime(['run', '--bundle', bundle.directory, box.newId()]);
    t.equal(code, 1, name);
    says(t, stderr, words, name);
    const cgroup = box.cgroupOf(bundle);
    if (isExempt(t, `${name} leaves nothing`, leaves)) await removeCgroup(cgroup);
    else t.notOk(existsSync(cgroup), `${name} leaves nothing`);
  }
}

/** The value goes into cpuset.cpus; with systemd it is a property instead. */
const kernelTakes = { 'crun with cgroupfs': 'gives it to the kernel', 'runc with cgroupfs': 'gives it to the kernel' };

/** These runtimes read the leading digits as a number, or nothing at all. */
const reads = { crun: 'does not refuse it' };
const moves = {
  crun: 'moves that process of the host into the container’s cgroup',
  runc: 'moves that process of the host into the container’s cgroup',
};

t.test('strings, negative numbers and fractions', { skip: needs() }, async (t) => {
  await refused(t, [
    [{ memory: { limit: '64M' } }, /memory\/limit/, reads],
    [{ memory: { limit: 1.5 } }, /memory\/limit/],
    [{ pids: { limit: '10' } }, /pids\/limit/, reads],
    [{ cpu: { shares: -1 } }, /cpu\/shares/, reads],
    [{ cpu: { period: -1 } }, /cpu\/period/, reads],
    [{ cpu: { cpus: 3 } }, /cpu\/cpus/, reads],
    [{ blockIO: { weight: -5 } }, /blockIO\/weight/],
    [{ blockIO: { throttleReadBpsDevice: [{ major: 8, minor: 0, rate: -1 }] } }, /throttleReadBpsDevice/],
    [{ hugepageLimits: [{ pageSize: '2MB', limit: -1 }] }, /hugepageLimits/],
    [{ rdma: { mlx5_0: { hcaHandles: -1 } } }, /rdma/],
    [{ unified: { 'memory.high': 5 } }, /unified/],
  ]);
});

t.test('unified: not a cgroup’s file, a path out of the cgroup, a missing controller', { skip: needs() }, async (t) => {
  await refused(t, [
    [{ unified: { '../cgroup.procs': '0' } }, /unified\/\.\.~1cgroup\.procs: must be the name of a file/],
    [{ unified: { 'memory/x.max': '1' } }, /unified\/memory~1x\.max: must be the name of a file/],
    [
      { unified: { 'cgroup.procs': '1' } },
      /unified\/cgroup\.procs: cgroup\.procs cannot be set: it moves processes/,
      moves,
    ],
    [{ unified: { 'nonesuch.max': '1' } }, /unified\/nonesuch\.max: controller nonesuch is missing/],
    [{ unified: { 'cgroup.nonesuch': '1' } }, /unified\/cgroup\.nonesuch: write .*this kernel has no cgroup\.nonesuch/],
    [{ unified: { 'cgroup.max.depth': '-1' } }, /unified\/cgroup\.max\.depth: write cgroup\.max\.depth .*-1/],
  ]);
});

t.test(
  'unified: a file that its controller does not have, and a value that it refuses',
  { skip: needs('memory') },
  async (t) => {
    await refused(t, [
      [
        { unified: { 'memory.nonesuch': '1' } },
        /unified\/memory\.nonesuch: write .*this kernel has no memory\.nonesuch/,
      ],
      [{ unified: { 'memory.high': 'plenty' } }, /unified\/memory\.high: write memory\.high .*plenty.*EINVAL/],
    ]);
  },
);

t.test('CPU time that no kernel accepts', { skip: needs('cpu') }, async (t) => {
  await refused(t, [
    [
      { cpu: { quota: 999 } },
      /cpu\/quota: .*999/,
      { 'runc with systemd': 'takes the 10 ms a second that systemd makes of it' },
    ],
    [{ cpu: { quota: 50_000, period: 2_000_000 } }, /cpu\/(quota|period): .*1000 to 1000000 microseconds/],
    [{ cpu: { quota: 10_000, burst: 20_000 } }, /cpu\/burst: must not be above the quota 10000/],
  ]);
});

t.test('CPUs, nodes and huge pages beyond the machine’s', { skip: needs('cpuset', 'hugetlb') }, async (t) => {
  await refused(t, [
    [{ cpu: { cpus: '4000' } }, /cpu\/cpus: /],
    [{ cpu: { cpus: 'all' } }, /cpu\/cpus: /, kernelTakes],
    [{ cpu: { mems: '900' } }, /cpu\/mems: /],
    [{ hugepageLimits: [{ pageSize: '7MB', limit: 1 }] }, /hugepageLimits\/0: .*hugepages/],
  ]);
});

t.test('an RDMA device that the machine does not have', { skip: needs('rdma') }, async (t) => {
  const words = /rdma\/mlx5_0: write rdma\.max .*ENODEV.*RDMA device/;
  await refused(t, [[{ rdma: { mlx5_0: { hcaHandles: 3 } } }, words, reads]]);
});

/** The kernel accepts more than the machine has. */
t.test('memory and tasks beyond the machine’s are no limits', { skip: needs('memory', 'pids') }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle(set({ memory: { limit: 2 ** 60 }, pids: { limit: 4_194_304 } }));
  await box.create(bundle);
  const file = (name: string) => readFileSync(`${box.cgroupOf(bundle)}/${name}`, 'utf8');
  t.equal(file('memory.max'), '1152921504606846976\n');
  t.equal(file('pids.max'), '4194304\n');
});
