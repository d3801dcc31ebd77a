/** Pods by containerd's CRI plugin with the resident shim in place of containerd's own. */
import t from 'tap';
import { suites } from '../vm/image.ts';
import * as scenarios from './cri/scenarios.ts';
import { startCri } from './cri/setup.ts';
import { sandboxes, sharedProcess } from './cri/shim.ts';
import { EngineTree, engineTrees } from './engine-tree.ts';

const skip = engineTrees();

for (const suite of suites) {
  for (const grouping of ['node', 'pod'] as const) {
    t.test(`pods by containerd of ${suite}, a shim for each ${grouping}`, { skip }, async (t) => {
      const place = await EngineTree.enter(t, { suite, parents: ['/pods'] });
      const cri = await startCri(t, place, { shim: grouping });
      const setting = { cri, place, cgroupParent: '/pods' };
      // Must be the first test: no process runs yet.
      await t.test('a pod with three containers and probes', (t) => sharedProcess(t, setting, grouping));
      await t.test('the life of a container', (t) => scenarios.containerLife(t, setting));
      await t.test('attach, exec on a terminal, port-forward', (t) => scenarios.streams(t, setting));
      if (grouping === 'pod') return;
      await t.test('namespaces of pod, container, target and node', (t) => scenarios.podNamespaces(t, setting));
      await t.test('pods in a user namespace', (t) => scenarios.userNamespaces(t, setting));
    });
  }
}

for (const suite of suites) {
  t.test(`pods by containerd of ${suite}, the shim named by its path`, { skip }, async (t) => {
    const place = await EngineTree.enter(t, { suite, parents: ['/pods'] });
    const cri = await startCri(t, place, { shim: 'node', byPath: true });
    await sharedProcess(t, { cri, place, cgroupParent: '/pods' }, 'node');
  });
}

t.test('pods by containerd that are the shim’s own sandboxes', { skip }, async (t) => {
  const place = await EngineTree.enter(t, { suite: 'forky', parents: ['/pods'] });
  const cri = await startCri(t, place, { shim: 'node', sandboxes: true });
  const setting = { cri, place, cgroupParent: '/pods' };
  await t.test('what they share', (t) => sandboxes(t, setting));
  await t.test('the life of a container', (t) => scenarios.containerLife(t, setting));
  await t.test('attach, exec on a terminal, port-forward', (t) => scenarios.streams(t, setting));
  // containerd 2.1 itself crashes at a pod in the node's network whose sandbox is the shim's.
  await t.test('namespaces', (t) => scenarios.podNamespaces(t, setting, { withNode: false }));
});
