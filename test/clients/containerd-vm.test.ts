/** containerd driven by ctr where cgroup v2 has its controllers, with both cgroup drivers. */
import t, { type Test } from 'tap';
import { Containerd } from './containerd.ts';
import { engineRuntime } from './engine-place.ts';
import { EngineVm, engineVm } from './engine-vm.ts';
import { imageName, ociArchive } from './image.ts';

const skip = engineVm({ controllers: ['cpu', 'memory', 'pids'] });

t.test('limits by ctr', { skip }, async (t) => {
  const containerd = await Containerd.startIn(EngineVm.enter(t), 'limits');
  await containerd.outputOf('image', 'import', ociArchive(containerd.place.sandbox.directory));
  await t.test('in a cgroup', (t) => limits(t, containerd, 'plain', ['--cgroup', '/ctr-plain']));
  const scope = ['--runc-systemd-cgroup', '--cgroup', 'machine.slice:ctr:scope'];
  await t.test('in a scope of systemd', (t) => limits(t, containerd, 'scope', scope));
});

async function limits(t: Test, containerd: Containerd, id: string, cgroup: string[]) {
  const flags = ['--memory-limit', '67108864', '--cpus', '0.5', '--cpu-shares', '512', ...cgroup];
  await containerd.outputOf(
    'run',
    '--detach',
    '--runc-binary',
    engineRuntime,
    ...flags,
    imageName,
    id,
    'sleep',
    '1000',
  );
  const path = containerd.place
    .readFile(`/proc/${await containerd.pid(id)}/cgroup`)
    .trim()
    .slice('0::'.length);
  const file = (name: string) => containerd.place.readFile(`/sys/fs/cgroup${path}/${name}`).trim();
  t.same([file('memory.max'), file('cpu.max')], ['67108864', '50000 100000']);
  const metrics = JSON.parse(await containerd.outputOf('task', 'metrics', '--format', 'json', id));
  t.match(metrics, { memory: { usage_limit: 67108864 }, pids: { current: 1 } });

  for (const [command, status] of [['pause', 'PAUSED'] as const, ['resume', 'RUNNING'] as const]) {
    await containerd.outputOf('task', command, id);
    t.equal(await containerd.status(id), status);
  }
  await containerd.remove(id);
}
