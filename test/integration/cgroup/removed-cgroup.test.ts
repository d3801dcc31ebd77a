/**
 * systemd removes a scope after its last process has ended, at any moment of `delete`: the cgroup may go away between
 * the opening of a file and its use. Here the test plays systemd.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { requires, sandbox, stopAfter, takeAwayCgroup, waitFor } from '../../harness/index.ts';

const skip = requires({ root: true, cgroup2: true, runtime: 'tsrun', cgroupDriver: 'cgroupfs', commands: ['strace'] });

/** The file that delete has open, and is about to read or write, when the cgroup goes away. */
for (const file of ['cgroup.kill', 'cgroup.events']) {
  t.test(`delete --force while ${file} goes away`, { skip }, async (t) => {
    const box = sandbox(t);
    // With more than init in the cgroup, delete cannot remove it at once.
    const bundle = box.bundle((spec) => {
      spec.process.args = ['sh', '-c', 'sleep 1000 & exec sleep 1000'];
      spec.linux.namespaces = spec.linux.namespaces?.filter(({ type }) => type !== 'pid');
    });
    const id = await box.createAndStart(bundle);
    const cgroup = box.cgroupOf(bundle);
    await waitFor('both processes', () => (pidsIn(cgroup).length === 2 ? true : undefined));

    const moment = { call: 'openat', path: join(cgroup, file) };
    const goOn = await stopAfter(box, moment, ['delete', '--force', id]);
    await takeAwayCgroup(cgroup);
    t.match(await goOn(), { code: 0, stderr: '' });
    t.equal((await box.runtime(['state', id])).code, 1);
  });
}

function pidsIn(directory: string): string[] {
  return readFileSync(join(directory, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean);
}
