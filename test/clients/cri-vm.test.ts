/** containerd's CRI plugin where cgroup v2 has its controllers, with both of its cgroup drivers. */
import t from 'tap';
import { limits, outOfMemory } from './cri/limits.ts';
import * as scenarios from './cri/scenarios.ts';
import { startCri } from './cri/setup.ts';
import { EngineVm, engineVm } from './engine-vm.ts';

const skip = engineVm({ controllers: ['cpu', 'memory', 'pids'] });

t.test('pods by containerd with the resident shim', { skip }, async (t) => {
  const place = EngineVm.enter(t);
  const setting = { cri: await startCri(t, place, { shim: 'node' }), place, cgroupParent: '/shim-pods' };
  await t.test('limits, their update, statistics', (t) => limits(t, setting));
  await t.test('a container out of memory', (t) => outOfMemory(t, setting));
});

for (const driver of ['cgroupfs', 'systemd']) {
  t.test(`pods by containerd with the ${driver} driver`, { skip }, async (t) => {
    const place = EngineVm.enter(t);
    const cri = await startCri(t, place, { systemd: driver === 'systemd' });
    const setting = { cri, place, cgroupParent: driver === 'systemd' ? '/pods.slice' : '/pods' };
    await t.test('the life of a container', (t) => scenarios.containerLife(t, setting));
    await t.test('limits, their update, statistics', (t) => limits(t, setting));
    await t.test('a container out of memory', (t) => outOfMemory(t, setting));
    await t.test('pods in a user namespace', (t) => scenarios.userNamespaces(t, setting));
    if (driver === 'systemd')
      t.equal(await place.outputOf(['systemctl', 'list-units', '--plain', '--no-legend', 'cri-*']), '');
  });
}
