/**
 * systemd removes a scope when its last process has ended, at any moment of `delete`: the cgroup then goes away between
 * the opening of a file and its use. Here the test is systemd, and strace makes the moment long.
 */
import { readdirSync, readFileSync, readlinkSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { requires, runtimePath, sandbox, start, waitFor } from '../harness/index.ts';

const skip = requires({ root: true, cgroup2: true, runtime: 'tsrun', cgroupDriver: 'cgroupfs', commands: ['strace'] });

/** Which file of the cgroup delete has open, and is about to use by which call, while the cgroup goes away. */
const moments = [
  { file: 'cgroup.kill', call: 'write' },
  { file: 'cgroup.events', call: '/^p?read(64)?$' },
  { file: 'cgroup.procs', call: '/^p?read(64)?$' },
];

for (const { file, call } of moments) {
  t.test(`delete --force under whose hands ${file} goes away`, { skip }, async (t) => {
    const box = sandbox(t);
    // More than init in the cgroup: delete cannot remove it at once.
    const bundle = box.bundle((spec) => {
      spec.process.args = ['sh', '-c', 'sleep 1000 & exec sleep 1000'];
      spec.linux.namespaces = spec.linux.namespaces?.filter(({ type }) => type !== 'pid');
    });
    const id = await box.create(bundle);
    await box.runtimeOk(['start', id]);
    const cgroup = box.cgroupOf(bundle);
    const path = join(cgroup, file);
    await waitFor('both processes', () => (pidsIn(cgroup).length === 2 ? true : undefined));

    const delay = ['-e', `trace=${call}`, '-e', `inject=${call}:delay_enter=3000000:when=1`];
    const command = [runtimePath, '--root', box.root, 'delete', '--force', id];
    const traced = start('strace', ['-f', '-qq', '-o', '/dev/null', '-P', path, ...delay, ...command]);
    await waitFor(`${file} to be open`, () => childrenOf(traced.pid).find((pid) => hasOpen(pid, path)));
    writeFileSync(join(cgroup, 'cgroup.kill'), '1');
    await waitFor('the cgroup to be empty', () => removes(cgroup));
    const { code, stderr } = await traced.done;
    t.strictSame({ code, stderr }, { code: 0, stderr: '' });
    t.equal((await box.runtime(['state', id])).code, 1);
  });
}

function pidsIn(directory: string): string[] {
  return readFileSync(join(directory, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean);
}

function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
}

function hasOpen(pid: number, path: string): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`) === path);
  } catch {
    return false; // a descriptor closed meanwhile
  }
}

/** Undefined while a process in it is still on its way out. */
function removes(directory: string): true | undefined {
  try {
    rmdirSync(directory);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EBUSY') return undefined;
    throw error;
  }
}
