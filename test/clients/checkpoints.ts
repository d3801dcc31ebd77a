/** Engines that have containers checkpointed and restored, with CRIU in their place. */
import type { Test } from 'tap';
import { type Criu, criuForTests, lacksFeature } from '../harness/criu.ts';
import { isInVm, requires, runtimeName } from '../harness/index.ts';
import type { EnginePlace } from './engine-place.ts';
import { EngineTree, engineTrees } from './engine-tree.ts';
import { EngineVm } from './engine-vm.ts';

/** For `skip`: false, or why no engine can use CRIU here. @param feature a feature of the kernel by CRIU's name */
export async function engineCheckpoints(feature?: string): Promise<string | false> {
  // crun has CRIU save the cgroups of v1, too, which not every host allows.
  const own = requires({ cHelpers: true, controllers: runtimeName === 'crun' ? ['memory'] : [] });
  const criu: Criu = await criuForTests();
  const lacking = feature === undefined ? criu.skip : lacksFeature(criu, feature);
  return (isInVm ? false : engineTrees()) || own || lacking;
}

/** The VM itself in the VM, and outside of it the tree of forky. */
export function enterWithCriu(t: Test, parents: string[] = []): Promise<EnginePlace> {
  return isInVm ? Promise.resolve(EngineVm.enter(t)) : EngineTree.enter(t, { suite: 'forky', parents });
}

/** Without connections nothing needs to be locked, and not every kernel has what CRIU locks with. */
export function lockNothing(place: EnginePlace): void {
  place.writeFile('/etc/criu/default.conf', 'network-lock skip\n');
  for (const name of ['tsrun', 'crun', 'runc']) place.writeFile(`/etc/criu/${name}.conf`, 'network-lock skip\n');
}
