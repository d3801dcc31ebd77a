/** Lowering for users without privileges, or with fewer than root has. */
import t from 'tap';
import type { HostFacts } from '../../../src/host/facts.ts';
import { type FullSpec, opsOf, planOf } from './lowering.ts';

const own = [{ containerID: 0, hostID: 0, size: 1 }];

function inUserNamespace(spec: FullSpec): void {
  spec.linux.namespaces?.push({ type: 'user' });
  spec.linux.uidMappings = own;
  spec.linux.gidMappings = own;
  delete spec.linux.resources;
}

t.test('if the runtime does not own the mounts, init opens them itself', async (t) => {
  const trees = (host: Partial<HostFacts>) => opsOf(planOf(inUserNamespace, host), 'open-tree').length;
  t.equal(trees({ initialUserNamespace: false, ownsMounts: true }), 1);
  t.equal(trees({ initialUserNamespace: false, ownsMounts: false }), 0);
});

t.test('a container may do without a cgroup only without privileges and limits', async (t) => {
  const isOptional = (host: Partial<HostFacts>, resources: NonNullable<FullSpec['linux']['resources']> = {}) => {
    const edit = (spec: FullSpec) => {
      inUserNamespace(spec);
      spec.linux.resources = resources;
    };
    const [{ optional } = {}] = opsOf(planOf(edit, host), 'create-cgroup') as { optional?: boolean }[];
    return optional;
  };
  const container = { capabilities: 0n };
  t.equal(isOptional({}), false);
  t.equal(isOptional({ uid: 1000, capabilities: 0n }), true);
  t.equal(isOptional(container), true, 'root of a container without privileges');
  t.equal(isOptional(container, { pids: { limit: 5 } }), false);
  t.equal(isOptional(container, { unified: { 'cgroup.max.depth': '5' } }), false, 'a limit of no controller');
  t.equal(isOptional(container, { memory: { limit: -1 } }), true, 'no limit at all');
});
