/** A container that has made its own cgroup threaded: cgroup.kill and cgroup.procs do not work there (cgroup-v2.rst). */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type Bundle, requires, type Sandbox, sandbox, waitFor } from '../harness/index.ts';

const skip = requires({ root: true, cgroup2: true, runtime: 'tsrun', cgroupDriver: 'cgroupfs' });

/** Two processes, which without a pid namespace outlive each other. */
async function threaded(box: Sandbox): Promise<{ id: string; bundle: Bundle; pids: number[] } | undefined> {
  const bundle = box.bundle((spec) => {
    // Only directly below the root can a cgroup that has processes become threaded.
    spec.linux.cgroupsPath = `${box.cgroup}-threaded`;
    spec.process.args = ['/bin/sh', '-c', 'sleep 1000 & : >/ready; sleep 1000'];
    spec.linux.namespaces = spec.linux.namespaces.filter(({ type }) => type !== 'pid');
    // A new procfs is refused in the host's pid namespace of a machine that masks some of its own.
    spec.mounts = spec.mounts.filter(({ type }) => type !== 'proc');
    spec.linux.maskedPaths = [];
    spec.linux.readonlyPaths = [];
  });
  const id = await box.create(bundle);
  await box.runtimeOk(['start', id]);
  await waitFor('its processes', () => bundle.has('ready') || undefined);
  const pids: number[] = JSON.parse((await box.runtimeOk(['ps', '--format', 'json', id])).stdout);
  try {
    writeFileSync(join(box.cgroupOf(bundle), 'cgroup.type'), 'threaded');
    return { id, bundle, pids };
  } catch (error) {
    // The root hands controllers down that know no threads.
    if ((error as NodeJS.ErrnoException).code !== 'ENOTSUP') throw error;
    await box.runtimeOk(['delete', '--force', id]);
    return undefined;
  }
}

function areGone(pids: readonly number[]): boolean {
  return pids.every(
    (pid) => !existsSync(`/proc/${pid}`) || /^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, 'utf8')),
  );
}

async function withThreaded(
  t: Test,
  check: (box: Sandbox, container: { id: string; bundle: Bundle; pids: number[] }) => Promise<void>,
): Promise<void> {
  const box = sandbox(t);
  const container = await threaded(box);
  if (container === undefined) t.pass('no cgroup can be threaded here');
  else await check(box, container);
}

t.test('ps still tells its processes, and kill --all ends them', { skip }, async (t) => {
  await withThreaded(t, async (box, { id, pids }) => {
    const now: number[] = JSON.parse((await box.runtimeOk(['ps', '--format', 'json', id])).stdout);
    t.same(now.sort(), pids.sort());
    await box.runtimeOk(['kill', '--all', id, 'KILL']);
    await waitFor('their end', () => areGone(pids) || undefined);
    await box.runtimeOk(['delete', id]);
  });
});

t.test('delete --force ends them and removes the cgroup', { skip }, async (t) => {
  await withThreaded(t, async (box, { id, bundle, pids }) => {
    await box.runtimeOk(['delete', '--force', id]);
    t.ok(areGone(pids));
    t.notOk(existsSync(box.cgroupOf(bundle)));
  });
});
