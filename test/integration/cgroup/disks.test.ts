/** linux.resources.blockIO on a disk that nobody else uses: the VM can make one. */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { requires, run, sandbox } from '../../harness/index.ts';

const needs =
  // Only the VM, which has this user, may load modules.
  requires({ root: true, cgroup2: true, controllers: ['io'], files: ['/home/user'], commands: ['modprobe'] }) ||
  (spawnSync('modprobe', ['--dry-run', '--all', 'bfq', 'null_blk']).status !== 0 && 'needs the modules bfq, null_blk');

/** Makes an empty disk with the scheduler BFQ; returns its `major:minor`. */
async function bfqDisk(): Promise<string> {
  const { code, stderr } = await run('modprobe', ['--all', 'bfq', 'null_blk']);
  if (code !== 0) throw new Error(stderr);
  writeFileSync('/sys/block/nullb0/queue/scheduler', 'bfq');
  return readFileSync('/sys/block/nullb0/dev', 'utf8').trim();
}

t.test('with BFQ the weights of the container and of a disk are in its files', { skip: needs }, async (t) => {
  const disk = await bfqDisk();
  const [major = 0, minor = 0] = disk.split(':').map(Number);
  const output = await sandbox(t).outputOf('cat /sys/fs/cgroup/io.bfq.weight', (spec) => {
    spec.linux.resources = { blockIO: { weight: 500, weightDevice: [{ major, minor, weight: 300 }] } };
  });
  t.equal(output, `default 500\n${disk} 300\n`);
});

t.test(
  'with io.cost a disk’s weight is in io.weight',
  { skip: needs || requires({ files: ['/sys/fs/cgroup/io.cost.qos'], runtime: ['tsrun', 'crun'] }) },
  async (t) => {
    const disk = await bfqDisk();
    const [major = 0, minor = 0] = disk.split(':').map(Number);
    writeFileSync('/sys/block/nullb0/queue/scheduler', 'none');
    writeFileSync('/sys/fs/cgroup/io.cost.qos', `${disk} enable=1`);
    t.teardown(() => writeFileSync('/sys/fs/cgroup/io.cost.qos', `${disk} enable=0`));
    const output = await sandbox(t).outputOf('cat /sys/fs/cgroup/io.weight', (spec) => {
      spec.linux.resources = { blockIO: { weightDevice: [{ major, minor, weight: 300 }] } };
    });
    // 10 to 1000 is mapped linearly to 1 to 10000.
    t.equal(output, `default 100\n${disk} 2930\n`);
  },
);

t.test('a throttled disk is slower than the same disk without a limit', { skip: needs }, async (t) => {
  const [major = 0, minor = 0] = (await bfqDisk()).split(':').map(Number);
  /** The seconds it takes to read 512 KiB of the disk that were not read before. */
  const read = async (skip: number, rate?: number) => {
    const script = `
      now() { cut -d " " -f 1 /proc/uptime; }
      from=$(now); dd if=/dev/disk of=/dev/null bs=64k count=8 skip=${skip} 2>/dev/null; echo $from $(now)`;
    const output = await sandbox(t).outputOf(script, (spec) => {
      spec.linux.devices = [{ path: '/dev/disk', type: 'b', major, minor }];
      const devices = [{ allow: true, type: 'b' as const, major, minor, access: 'rw' }];
      const throttleReadBpsDevice = rate === undefined ? [] : [{ major, minor, rate }];
      spec.linux.resources = { devices, blockIO: { throttleReadBpsDevice } };
    });
    const [from = 0, to = 0] = output.trim().split(' ').map(Number);
    return to - from;
  };
  const throttled = await read(0, 65_536);
  const free = await read(1000);
  // Does not depend on the machine's speed: the kernel allows 64 KiB a second, and without a limit even a machine a
  // hundred times slower is faster.
  t.ok(throttled > 2, `${throttled} s at 64 KiB/s`);
  t.ok(free < throttled, `${free} s without a limit`);
});
