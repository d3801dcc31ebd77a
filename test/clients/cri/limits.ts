/** Limits and statistics of containers: for machines with the controllers. */
import type { Test } from 'tap';
import { imageName } from '../image.ts';
import { containerState } from './client.ts';
import type { Message } from './protobuf.ts';
import type { Setting } from './scenarios.ts';

const mebibyte = 1_048_576;

export async function limits(t: Test, setting: Setting) {
  const { cri, cgroupParent } = setting;
  const pod = await cri.runPod('limits', { cgroup_parent: cgroupParent });
  const resources = {
    memory_limit_in_bytes: 64 * mebibyte,
    cpu_quota: 50_000,
    cpu_period: 100_000,
    cpu_shares: 512,
    unified: { 'memory.high': String(48 * mebibyte) },
  };
  const box = await cri.run(pod, imageName, { command: ['sleep', '1000'], linux: { resources } });
  const files = ['memory.max', 'cpu.max', 'cpu.weight', 'memory.high'].map((name) => `/sys/fs/cgroup/${name}`);
  const inCgroup = async () => (await cri.execSync(box, 'cat', ...files)).stdout.trim().split('\n');
  const [memory, cpu, weight, high] = await inCgroup();
  t.same([memory, cpu, high], [String(64 * mebibyte), '50000 100000', String(48 * mebibyte)]);
  // 20 with the old conversion, 59 with the quadratic one.
  t.match(weight, /^(20|59)$/);
  await cri.update(box, { memory_limit_in_bytes: 128 * mebibyte, cpu_quota: 25_000, cpu_period: 100_000 });
  t.same((await inCgroup()).slice(0, 2), [String(128 * mebibyte), '25000 100000']);
  const before = await inCgroup();
  await t.rejects(cri.update(box, { unified: { 'memory.high': 'much' } }), { message: /memory\.high/ });
  t.same(await inCgroup(), before, 'a wrong value changes nothing');
  t.match(await cri.status(box), { state: containerState.running });

  const types = { request: 'ContainerRequest', response: 'ContainerStatsResponse' };
  const { stats } = await cri.call<{ stats: Message }>('ContainerStats', { container_id: box }, types);
  t.match(stats, {
    // Without a value if the clock is too coarse.
    cpu: { usage_core_nano_seconds: {} },
    memory: { working_set_bytes: { value: Number } },
  });
  const podTypes = { request: 'PodSandboxRequest', response: 'PodSandboxStatsResponse' };
  const ofPod = await cri.call<{ stats: Message }>('PodSandboxStats', { pod_sandbox_id: pod.id }, podTypes);
  const container = { memory: { working_set_bytes: { value: Number } } };
  t.match(ofPod.stats, { linux: { memory: { usage_bytes: { value: Number } }, containers: [container] } });
  await cri.removePod(pod);
}

export async function outOfMemory(t: Test, setting: Setting) {
  const { cri, place, cgroupParent } = setting;
  const pod = await cri.runPod('oom', { cgroup_parent: cgroupParent });
  const resources = { memory_limit_in_bytes: 16 * mebibyte, unified: { 'memory.swap.max': '0' } };
  const box = await cri.run(pod, imageName, { command: ['tail', '/dev/zero'], linux: { resources } });
  await cri.waitForState(box, containerState.exited);
  // The reason need not be OOMKilled: containerd reads memory.events after a change, and by then systemd may have
  // removed the scope, with any runtime (docs/engines.md). The parent counts kills, too.
  t.match(await cri.status(box), { exit_code: 137, reason: /^(OOMKilled|Error)$/ });
  t.match(place.readFile(`/sys/fs/cgroup${cgroupParent}/memory.events`), /^oom_kill [1-9]/m);
  await cri.removePod(pod);
}
