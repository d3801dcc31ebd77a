import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { noCgroupHint } from '../../../src/cgroup/cgroupfs.ts';
import { applySetting, applySettings, hintFor } from '../../../src/cgroup/settings.ts';
import type { SetIoWeightOp, WriteCgroupFileOp } from '../../../src/generated/ops.ts';

/** A directory with these files in place of a cgroup. */
function directory(t: Test, files: Record<string, string>): string {
  return t.testdir(files);
}

function write(file: string, value: string): WriteCgroupFileOp {
  return { op: 'write-cgroup-file', by: 'runtime', from: `/linux/resources/unified/${file}`, file, value };
}

const weight: SetIoWeightOp = {
  op: 'set-io-weight',
  by: 'runtime',
  from: '/linux/resources/blockIO/weight',
  device: 'default',
  weight: 500,
};

t.test('a missing file is an error, and is not made', async (t) => {
  const cgroup = directory(t, {});
  t.throws(
    () => applySetting(cgroup, write('memory.high', '1')),
    /unified\/memory\.high: write memory\.high "1": ENOENT/,
  );
  t.throws(() => readFileSync(join(cgroup, 'memory.high')));
});

t.test('weights go to BFQ unchanged, and without it converted to io.weight', async (t) => {
  const withBfq = directory(t, { 'io.bfq.weight': '', 'io.weight': '' });
  applySetting(withBfq, weight);
  t.equal(readFileSync(join(withBfq, 'io.bfq.weight'), 'utf8'), 'default 500');
  t.equal(readFileSync(join(withBfq, 'io.weight'), 'utf8'), '');
});

t.test('without BFQ', async (t) => {
  const plain = directory(t, { 'io.weight': '' });
  applySetting(plain, weight);
  t.equal(readFileSync(join(plain, 'io.weight'), 'utf8'), 'default 4950');
});

t.test('a limit below the usage is refused, one above is not', async (t) => {
  const cgroup = directory(t, { 'memory.current': '1000\n', 'memory.swap.current': '10\n' });
  const check = (limit: number, swap: number) =>
    applySetting(cgroup, { op: 'check-memory-use', by: 'runtime', from: '/x', limit, swap });
  t.throws(() => check(999, -1), /limit 999 is below memory\.current, which is 1000/);
  t.throws(() => check(1000, 9), /limit 9 is below memory\.swap\.current/);
  t.doesNotThrow(() => check(1000, 10));
});

t.test('other failures than EINVAL are not tried again', async (t) => {
  const cgroup = directory(t, { 'memory.max': '' });
  mkdirSync(join(cgroup, 'memory.low'));
  t.throws(() => applySettings(cgroup, [write('memory.low', '1'), write('memory.max', '5')]), /memory\.low/);
  t.equal(readFileSync(join(cgroup, 'memory.max'), 'utf8'), '');
  writeFileSync(join(cgroup, 'memory.high'), '');
  applySettings(cgroup, [write('memory.high', '7'), write('memory.max', '5')]);
  t.equal(readFileSync(join(cgroup, 'memory.high'), 'utf8'), '7');
});

t.test('a hint is about the file and the kernel’s error', async (t) => {
  t.match(hintFor('cpu.max', 'ENOENT'), /^this kernel has no cpu\.max/);
  t.match(hintFor('hugetlb.3MB.max', 'ENOENT'), /page sizes/);
  t.match(hintFor('cpu.max', 'EACCES'), /this user may not write/);
  t.match(hintFor('cpu.max', 'EINVAL'), /^period: /);
  t.match(hintFor('cpu.max', 'ENOMEM'), /out of memory/);
  t.match(hintFor('cpuset.cpus', 'EINVAL'), /are they online/);
  t.notMatch(hintFor('cpuset.cpus', 'EBUSY'), /online/);
  t.match(hintFor('io.max', 'ENODEV'), /no disk/);
  t.match(hintFor('rdma.max', 'ENODEV'), /no RDMA device/);
  t.equal(hintFor('pids.max', 'ENODEV'), undefined);
});

t.test('without a cgroup there are other reasons for root than for others', async (t) => {
  t.match(noCgroupHint(true), /cgroup v2$/);
  t.notMatch(noCgroupHint(true), /Delegate/);
  t.match(noCgroupHint(false), /Delegate=yes/);
});
