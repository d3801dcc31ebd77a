/** containerd driven by ctr where cgroup v2 has its controllers, with both cgroup drivers. */
import t, { type Test } from 'tap';
import { repoRoot, waitFor } from '../harness/index.ts';
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
  await t.test('with the resident shim', (t) => residentShim(t, containerd));
});

async function residentShim(t: Test, containerd: Containerd) {
  const { place } = containerd;
  const shim = 'containerd-shim-tsrun-v2';
  place.writeFile(`/usr/local/bin/${shim}`, `#!/bin/sh\nexec ${repoRoot}/bin/${shim} "$@"\n`, 0o755);
  const events = await containerd.watchEvents();
  const flags = ['--runtime', 'io.containerd.tsrun.v2', '--memory-limit', '16777216', '--cgroup', '/ctr-shim'];
  const run = (id: string, ...args: string[]) => containerd.ctr('run', ...flags, imageName, id, ...args);
  await containerd.outputOf('run', '--detach', ...flags, imageName, 'shim', 'sleep', '1000');
  const metrics = JSON.parse(await containerd.outputOf('task', 'metrics', '--format', 'json', 'shim'));
  t.match(metrics, { memory: { usage_limit: 16777216 }, pids: { current: 1 } });
  await containerd.remove('shim');
  const isTold = () => /\/tasks\/oom .*hog.*\/tasks\/exit .*hog/s.test(events.output.stdout);
  t.equal((await run('hog', 'sh', '-c', 'exec tail /dev/zero')).code, 137);
  await waitFor('the events', () => isTold() || undefined);
}

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
