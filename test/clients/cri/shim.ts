/** Pods on the resident shim. */
import type { Test } from 'tap';
import { waitFor } from '../../harness/index.ts';
import { imageName } from '../image.ts';
import { shimEngines } from '../resident-shim.ts';
import { containerState } from './client.ts';
import type { Setting } from './scenarios.ts';

/** Two pods of three containers each, with probes as the kubelet makes them; then all end, and the shim with them. */
export async function sharedProcess(t: Test, { cri, place, cgroupParent }: Setting, grouping: 'node' | 'pod') {
  const pods = await Promise.all(['one', 'two'].map((name) => cri.runPod(name, { cgroup_parent: cgroupParent })));
  const server = 'trap "exit 4" TERM; : >/ready; while :; do echo $((n++)); sleep 0.1; done';
  const boxes: string[] = [];
  for (const pod of pods) {
    for (const name of ['a', 'b', 'c']) {
      const config = { command: ['sh', '-c', server], log_path: `${pod.id}-${name}.log` };
      boxes.push(await cri.run(pod, imageName, config));
    }
  }
  t.equal((await shimEngines(place)).length, grouping === 'node' ? 1 : 2, 'one process');
  const probe = async (box: string) =>
    (await cri.execSync(box, 'test', '-e', '/ready')).code === 0 ? true : undefined;
  await Promise.all(boxes.map((box) => waitFor('a ready container', () => probe(box))));
  for (let round = 0; round < 5; round++) t.same(await Promise.all(boxes.map(probe)), Array(6).fill(true), 'probes');
  t.same((await cri.execSync(boxes[0] ?? '', 'test', '-e', '/no')).code, 1);
  for (const box of boxes) {
    await cri.stop(box, 100);
    t.match(await cri.status(box), { state: containerState.exited, exit_code: 4 });
  }
  for (const pod of pods) await cri.removePod(pod);
  await waitFor('the shim to leave', async () => (await shimEngines(place)).length === 0 || undefined);
}
