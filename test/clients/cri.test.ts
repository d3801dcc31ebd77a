/** containerd's CRI plugin, driven as the kubelet drives it. */
import t from 'tap';
import { suites } from '../vm/image.ts';
import * as scenarios from './cri/scenarios.ts';
import { startCri } from './cri/setup.ts';
import { EngineTree, engineTrees } from './engine-tree.ts';

const skip = engineTrees();

for (const suite of suites) {
  t.test(`pods by containerd of ${suite}`, { skip }, async (t) => {
    const place = await EngineTree.enter(t, { suite, parents: ['/pods'] });
    const cri = await startCri(t, place);
    const setting = { cri, place, cgroupParent: '/pods' };
    await t.test('the life of a container', (t) => scenarios.containerLife(t, setting));
    await t.test('the handler of a RuntimeClass', (t) => scenarios.runtimeClass(t, setting));
    await t.test('attributes of the process', (t) => scenarios.processAttributes(t, setting));
    await t.test('namespaces of pod, container, target and node', (t) => scenarios.podNamespaces(t, setting));
    await t.test('attach, exec on a terminal, port-forward', (t) => scenarios.streams(t, setting));
    await t.test('volumes', (t) => scenarios.mounts(t, setting));
    await t.test('pods in a user namespace', (t) => scenarios.userNamespaces(t, setting));
    if (suite === 'forky') {
      const all = { recursive_read_only_mounts: true, user_namespaces: true };
      t.same(await cri.handlerFeatures(), all, 'what containerd reads out of `features`');
    }
  });
}
