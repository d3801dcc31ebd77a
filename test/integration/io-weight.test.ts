/** linux.resources.blockIO weights, with a disk that the BFQ scheduler drives: the VM can have one made. */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { requires, run, sandbox } from '../harness/index.ts';

const needs =
  // Modules are loaded in the VM only, which is the machine with this user.
  requires({ root: true, cgroup2: true, controllers: ['io'], files: ['/home/user'], commands: ['modprobe'] }) ||
  (spawnSync('modprobe', ['--dry-run', '--all', 'bfq', 'null_blk']).status !== 0 && 'needs the modules bfq, null_blk');

/** `major:minor` of a disk without contents under BFQ. */
async function bfqDisk(): Promise<string> {
  const { code, stderr } = await run('modprobe', ['--all', 'bfq', 'null_blk']);
  if (code !== 0) throw new Error(stderr);
  writeFileSync('/sys/block/nullb0/queue/scheduler', 'bfq');
  return readFileSync('/sys/block/nullb0/dev', 'utf8').trim();
}

t.test('the weight of the container, and of a disk in it, are with BFQ', { skip: needs }, async (t) => {
  const disk = await bfqDisk();
  const [major = 0, minor = 0] = disk.split(':').map(Number);
  const output = await sandbox(t).outputOf('cat /sys/fs/cgroup/io.bfq.weight', (spec) => {
    spec.linux.resources = { blockIO: { weight: 500, weightDevice: [{ major, minor, weight: 300 }] } };
  });
  t.equal(output, `default 500\n${disk} 300\n`);
});
