/** Pods on the resident shim. */
import type { Test } from 'tap';
import { waitFor } from '../../harness/index.ts';
import type { EnginePlace } from '../engine-place.ts';
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

/** A pod without a pause image: its containers share what the shim has made, also once its engine was killed. */
export async function sandboxes(t: Test, { cri, place, cgroupParent }: Setting) {
  const linux = { cgroup_parent: cgroupParent, sysctls: { 'net.ipv4.ip_unprivileged_port_start': '77' } };
  const pod = await cri.runPod('shared', linux);
  const run = () => cri.run(pod, imageName, { command: ['sleep', '1000'] });
  const [one, two] = [await run(), await run()];
  const inside = async (box: string, script: string) => (await cri.execSync(box, 'sh', '-c', script)).stdout;
  t.equal(await inside(one, 'hostname; cat /etc/hostname'), 'shared\nshared\n');
  t.equal(
    await inside(one, 'cat /etc/hosts /etc/resolv.conf'),
    await place.outputOf(['cat', '/etc/hosts', '/etc/resolv.conf']),
  );
  t.equal(await inside(one, 'cat /proc/sys/net/ipv4/ip_unprivileged_port_start'), '77\n');
  await inside(one, 'echo shared >/dev/shm/file');
  t.equal(await inside(two, 'cat /dev/shm/file; stat -fc %T /dev/shm'), 'shared\ntmpfs\n');
  t.match(
    await place.outputOf(['cat', `/proc/${await pausePid(place)}/cgroup`]),
    `/${cgroupParent.slice(1)}/${pod.id}`,
  );

  const [engine = ''] = await shimEngines(place);
  await place.outputOf(['kill', '-KILL', engine]);
  await waitFor('another engine', async () => {
    const [now = engine] = await shimEngines(place);
    return now !== engine || undefined;
  });
  const three = await run();
  t.equal(await inside(three, 'cat /dev/shm/file; hostname'), 'shared\nshared\n', 'a container after it');
  t.match((await cri.podStatus(pod)).ip, /^10\.88\./);
  await cri.removePod(pod);
  t.equal((await place.run(['pgrep', '-f', '^/pause pause'])).stdout, '', 'no process is left');
  t.notMatch(await place.outputOf(['cat', '/proc/mounts']), pod.id, 'nor a mount');
}

async function pausePid(place: EnginePlace): Promise<string> {
  return (await place.outputOf(['pgrep', '-f', '^/pause pause'])).trim();
}
