/** Engines that have containers checkpointed and restored, with CRIU in their place. */
import { readFileSync } from 'node:fs';
import type { Test } from 'tap';
import { type Criu, criuForTests, lacksFeature } from '../harness/criu.ts';
import { isInVm, requires } from '../harness/index.ts';
import type { EnginePlace } from './engine-place.ts';
import { EngineTree, engineTrees } from './engine-tree.ts';
import { EngineVm } from './engine-vm.ts';

/** For `skip`: false, or why no engine can use CRIU here. @param feature a feature of the kernel by CRIU's name */
export async function engineCheckpoints(feature?: string): Promise<string | false> {
  const own = requires({ cHelpers: true });
  const criu: Criu = await criuForTests();
  const lacking = feature === undefined ? criu.skip : lacksFeature(criu, feature);
  return (isInVm ? false : engineTrees()) || own || lacking;
}

/** The VM itself in the VM, and outside of it the tree of forky. */
export async function enterWithCriu(t: Test, parents: string[] = []): Promise<EnginePlace> {
  const place = isInVm ? EngineVm.enter(t) : await EngineTree.enter(t, { suite: 'forky', parents });
  configure(place, '');
  return place;
}

/** Without connections nothing needs to be locked, and not every kernel has what CRIU locks with. */
export function lockNothing(place: EnginePlace): void {
  configure(place, 'network-lock skip\n');
}

/** crun has CRIU save the cgroups of v1, too, and on a hybrid host those are the machine's. */
function configure(place: EnginePlace, text: string): void {
  const isHybrid = /^[1-9]/m.test(readFileSync('/proc/self/cgroup', 'utf8'));
  const ofCrun = isHybrid ? `${text}cgroup-dump-controller none\n` : text;
  for (const name of ['default', 'tsrun', 'runc']) place.writeFile(`/etc/criu/${name}.conf`, text);
  place.writeFile('/etc/criu/crun.conf', ofCrun);
}
