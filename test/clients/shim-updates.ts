/** Limits that change while a task of the resident shim runs. ctr has no such command: Go clients call the task service. */
import type { Test } from 'tap';
import type { Containerd } from './containerd.ts';
import { runOnShim } from './resident-shim.ts';
import { killEngine } from './shim-deaths.ts';

const limit = 'hugetlb.2MB.max';
const mebibyte = 1024 * 1024;

/** The hugetlb controller is the one that a machine with version 1 of the others has in version 2. */
export async function updates(t: Test, containerd: Containerd) {
  await containerd.outputOf(...runOnShim(['--detach'], 'box', 'sleep', '1000'));
  const pid = await containerd.pid('box');
  const now = async () => (await containerd.place.outputOf(['cat', `/sys/fs/cgroup/box/${limit}`])).trim();
  const update = (resources: object) => containerd.updateTask('box', resources);
  const limited = (value: string) => ({ unified: { [limit]: value } });

  await update(limited(String(4 * mebibyte)));
  t.equal(await now(), String(4 * mebibyte));
  await update({ hugepageLimits: [{ pageSize: '2MB', limit: 6 * mebibyte }] });
  t.equal(await now(), String(6 * mebibyte));
  for (const [resources, error] of [
    [limited('much'), /unified\/hugetlb\.2MB\.max.*EINVAL/],
    [{ unified: { 'no.such-file': '1' } }, /no\.such-file/],
    [{ hugepageLimits: [{ pageSize: '3MB', limit: 1 }] }, /3MB/],
    [{ hugepageLimts: [] }, /OCI runtime update failed: .*hugepageLimts.*hugepageLimits/],
    [{ memory: { limit: 64 * mebibyte } }, /memory\/limit.*controller/],
  ] as const) {
    await t.rejects(update(resources), { message: error });
    t.equal(await now(), String(6 * mebibyte), `${JSON.stringify(resources)} changes nothing`);
  }
  t.equal(await containerd.status('box'), 'RUNNING');

  await killEngine(containerd);
  await update(limited(String(8 * mebibyte)));
  t.equal(await now(), String(8 * mebibyte), 'with another engine');
  t.equal(await containerd.pid('box'), pid);

  await containerd.outputOf('task', 'kill', '--signal', 'KILL', 'box');
  await containerd.waitForStatus('box', 'STOPPED');
  await t.rejects(update(limited('max')), { message: /not running|stopped/ });
  await containerd.ctr('task', 'delete', 'box');
  await t.rejects(update(limited('max')), { message: /not found/ });
  await containerd.outputOf('container', 'delete', 'box');
}
