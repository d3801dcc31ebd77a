/** Live resizing: new limits of every controller take effect in a running container. */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import {
  type Differences,
  isExempt,
  type Needs,
  requires,
  runtimeName,
  type Sandbox,
  type Spec,
  sandbox,
  says,
  waitFor,
} from '../../harness/index.ts';

const needs = (more: Needs = {}) => requires({ root: true, cgroup2: true, ...more });

/** A running container, and its cgroup as the host sees it. */
async function running(box: Sandbox, args: string[], edit?: (spec: Spec) => void) {
  const bundle = box.bundle((spec) => {
    spec.process.args = args;
    edit?.(spec);
  });
  const id = await box.createAndStart(bundle);
  const file = (name: string) => readFileSync(join(box.cgroupOf(bundle), name), 'utf8').trim();
  const update = (resources: object) => {
    const path = join(box.directory, 'resources.json');
    writeFileSync(path, JSON.stringify(resources));
    return box.runtime(['update', '--resources', path, id]);
  };
  return { id, bundle, file, update };
}

const usesOnly = {
  crun: 'limits the use of huge pages, not their reservation',
  runc: 'leaves the limits of huge pages as they are',
};

t.test(
  'cpuset and huge pages',
  { skip: needs({ controllers: ['cpuset', 'hugetlb'], differs: usesOnly }) },
  async (t) => {
    const { file, update } = await running(sandbox(t), ['sleep', '1000']);
    const limits = { cpu: { cpus: '0', mems: '0' }, hugepageLimits: [{ pageSize: '2MB', limit: 4_194_304 }] };
    t.match(await update(limits), { code: 0, stderr: '' });
    t.same(['cpuset.cpus', 'cpuset.mems', 'hugetlb.2MB.max', 'hugetlb.2MB.rsvd.max'].map(file), [
      '0',
      '0',
      '4194304',
      '4194304',
    ]);
  },
);

const belowScope = { 'crun with systemd': 'puts the container into a cgroup below its scope' };
const disks = { controllers: ['io', 'memory'], differs: belowScope };

t.test('limits of a disk, and files of unified', { skip: needs(disks) }, async (t) => {
  const { file, update } = await running(sandbox(t), ['sleep', '1000']);
  const [disk = ''] = spawnSync('lsblk', ['-dno', 'MAJ:MIN'], { encoding: 'utf8' }).stdout.trim().split(/\s+/);
  const [major = 0, minor = 0] = disk.split(':').map(Number);
  const rate = (value: number) => ({ blockIO: { throttleReadBpsDevice: [{ major, minor, rate: value }] } });
  t.match(await update({ ...rate(1_048_576), unified: { 'memory.high': '50331648' } }), { code: 0 });
  t.same([file('io.max'), file('memory.high')], [`${disk} rbps=1048576 wbps=max riops=max wiops=max`, '50331648']);
  t.match(await update(rate(2_097_152)), { code: 0 });
  t.match(file('io.max'), 'rbps=2097152');
});

t.test(
  'with a limit below the usage, memory is reclaimed or the container is killed',
  { skip: needs({ controllers: ['memory'] }) },
  async (t) => {
    const box = sandbox(t);
    // A file in memory, which cannot be reclaimed without swap.
    const script = 'dd if=/dev/zero of=/dev/shm/full bs=1M count=24 2>/dev/null; echo full; sleep 1000';
    const { id, file, update } = await running(box, ['sh', '-c', script]);
    await waitFor('the file', () => (box.outputOfCreated(id).stdout.includes('full') ? true : undefined));
    t.match(await update({ memory: { limit: 67_108_864, swap: 67_108_864 } }), { code: 0 });
    t.ok(Number(file('memory.current')) > 20_000_000, 'it stays where it fits');
    // memory.max (cgroup-v2.rst): below the usage, with nothing to reclaim, the kernel kills.
    await update({ memory: { limit: 8_388_608, swap: 8_388_608 } });
    await box.waitForState(id, 'stopped');
    if (runtimeName !== 'tsrun') return;
    t.match(await box.state(id), { oomKilled: true }, 'and state tells why');
  },
);

const starts = { controllers: ['memory'], differs: { runc: 'needs more memory than that for its own init' } };

t.test('a container with a memory limit of 1 MiB starts', { skip: needs(starts) }, async (t) => {
  const output = await sandbox(t).outputOf('read max < /sys/fs/cgroup/memory.max; echo $max', (spec) => {
    spec.linux.resources = { memory: { limit: 1_048_576, swap: 1_048_576 } };
  });
  t.equal(output, '1048576\n');
});

t.test(
  'pressure is in the statistics',
  { skip: needs({ files: ['/proc/pressure/cpu'], differs: { crun: 'has no events' } }) },
  async (t) => {
    const box = sandbox(t);
    const { id } = await running(box, ['sh', '-c', 'while :; do :; done & while :; do :; done']);
    const { data } = JSON.parse((await box.runtimeOk(['events', '--stats', id])).stdout);
    t.type(data.cpu.psi.some.avg10, 'number');
    t.type(data.cpu.psi.some.total, 'number');
  },
);

t.test('bad values are named and change nothing', { skip: needs() }, async (t) => {
  const { file, update } = await running(sandbox(t), ['sleep', '1000']);
  const before = file('cgroup.max.depth');
  const keeps = { crun: 'leaves what it has written before', runc: 'leaves what it has written before' };
  const readsOn = { crun: 'does not refuse it' };
  const depth = { 'cgroup.max.depth': '4' };
  const cases: [object, RegExp, Differences?][] = [
    [{ unified: depth, pids: { limit: '9' } }, /pids\/limit: .*found/, readsOn],
    [{ unified: depth, cpu: { shares: -1 } }, /cpu\/shares/, readsOn],
    [{ unified: depth, memory: { kernel: 1 } }, /memory\/kernel: only cgroup v1/, { runc: 'warns of it only' }],
    [{ unified: { ...depth, 'a/b.c': '1' } }, /unified\/a~1b\.c/, keeps],
  ];
  for (const [resources, words, differs] of cases) {
    const name = JSON.stringify(resources);
    if (isExempt(t, name, differs)) continue;
    const { code, stderr } = await update(resources);
    t.equal(code, 1, name);
    says(t, stderr, words, name);
  }
  t.equal(file('cgroup.max.depth'), before);
});
