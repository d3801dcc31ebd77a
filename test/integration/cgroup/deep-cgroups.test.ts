/** Cgroups that a container makes below its own, deeper than a path can be. */
import { existsSync } from 'node:fs';
import t from 'tap';
import { requires, type Spec, sandbox, waitFor } from '../../harness/index.ts';

const skip = requires({ root: true, cgroup2: true, runtime: 'tsrun', cgroupDriver: 'cgroupfs' });

function withWritableCgroup(script: string) {
  return (spec: Spec) => {
    spec.process.args = ['/bin/sh', '-c', script];
    for (const mount of spec.mounts) {
      if (mount.type === 'cgroup') mount.options = mount.options?.filter((option) => option !== 'ro') ?? [];
    }
  };
}

/**
 * Goes down 18 levels: busybox's shell has just enough room for the path, and with the host's prefix it is too long.
 */
const descend = `
  name=$(printf "%220s" | tr " " x)
  cd /sys/fs/cgroup
  i=0
  while [ $i -lt 18 ]; do mkdir $name && cd $name || exit 1; i=$((i + 1)); done
  for i in 1 2 3; do mkdir wide-$i wide-$i/in-it; done
  echo made`;

t.test('a container that has made cgroups deeper than a path can be deleted', { skip }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle(withWritableCgroup(`${descend}; exec sleep 100000`));
  // The container sees the path from its own cgroup on.
  bundle.edit((spec) => {
    spec.linux.cgroupsPath = `${spec.linux.cgroupsPath}${'p'.repeat(200)}`;
  });
  const id = await box.createAndStart(bundle);
  const made = await waitFor('the cgroups, or the reason why not', async () => {
    const { stdout, stderr } = box.outputOfCreated(id);
    return stdout + stderr || undefined;
  });
  t.equal(made, 'made\n');
  const { pid } = await box.state(id);
  t.same(JSON.parse((await box.runtimeOk(['ps', '--format', 'json', id])).stdout), [pid]);
  await box.runtimeOk(['delete', '--force', id]);
  t.notOk(existsSync(box.cgroupOf(bundle)));
});
