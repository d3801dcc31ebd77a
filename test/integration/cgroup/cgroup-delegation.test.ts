/** config-linux.md, Cgroup ownership: which files of its cgroup the container's user owns, and when. */
import { chmodSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type Differences, inUserNamespace, requires, runtimeName, type Spec, sandbox } from '../../harness/index.ts';

const needs = (differs: Differences = {}) => requires({ root: true, cgroup2: true, userns: true, differs });

const gives: Differences = {
  'crun with cgroupfs': 'gives nothing away',
  'crun with systemd': 'puts the container into a cgroup below its scope',
  'runc with cgroupfs': 'gives nothing away',
};

/** The owners of the files in a created container's cgroup; `.` is the directory. */
async function owners(t: Test, edit: (spec: Spec) => void): Promise<Map<string, number>> {
  const box = sandbox(t);
  // runc and crun look for the rootfs as the user that is root in the user namespace.
  if (runtimeName !== 'tsrun') chmodSync(box.directory, 0o711);
  const bundle = box.bundle((spec) => {
    spec.process.user = { uid: 1234, gid: 0 };
    for (const mount of cgroupMounts(spec)) {
      mount.options = mount.options?.map((option) => (option === 'ro' ? 'rw' : option)) ?? [];
    }
    edit(spec);
  });
  await box.create(bundle);
  const cgroup = box.cgroupOf(bundle);
  return new Map(['.', ...readdirSync(cgroup)].map((name) => [name, statSync(join(cgroup, name)).uid]));
}

function cgroupMounts(spec: Spec) {
  return spec.mounts.filter(({ destination }) => destination === '/sys/fs/cgroup');
}

/** The files that the kernel says to delegate, if this cgroup has them. */
function delegated(files: Map<string, number>): string[] {
  const named = readFileSync('/sys/kernel/cgroup/delegate', 'utf8').split('\n').filter(Boolean);
  return ['.', ...named].filter((name) => files.has(name)).sort();
}

const ownedBy = (files: Map<string, number>, uid: number) =>
  [...files].flatMap(([name, owner]) => (owner === uid ? [name] : [])).sort();

t.test('the directory and the files that the kernel lists, and nothing else', { skip: needs(gives) }, async (t) => {
  const files = await owners(t, () => {});
  t.ok(delegated(files).length > 3);
  t.strictSame(ownedBy(files, 1234), delegated(files));
  t.strictSame(ownedBy(files, 0).length, files.size - delegated(files).length);
});

t.test('in a user namespace, by the user’s uid on the host', { skip: needs(gives) }, async (t) => {
  const files = await owners(t, (spec) => {
    inUserNamespace(spec);
  });
  t.strictSame(ownedBy(files, 101_234), delegated(files));
});

t.test('by the source of the mount, however its destination is written', { skip: needs(gives) }, async (t) => {
  const files = await owners(t, (spec) => {
    for (const mount of cgroupMounts(spec)) Object.assign(mount, { type: 'cgroup2', destination: '/sys//fs/cgroup/' });
  });
  t.strictSame(ownedBy(files, 1234), delegated(files));
});

t.test('nothing if the container may not change its cgroups', { skip: needs() }, async (t) => {
  const cases: [string, (spec: Spec) => void][] = [
    [
      'a read-only mount',
      (spec) => {
        for (const mount of cgroupMounts(spec)) mount.options = [...(mount.options ?? []), 'ro'];
      },
    ],
    [
      'a mount of another source',
      (spec) => {
        for (const mount of cgroupMounts(spec)) mount.source = 'none';
      },
    ],
    [
      'no mount',
      (spec) => {
        spec.mounts = spec.mounts.filter(({ destination }) => destination !== '/sys/fs/cgroup');
      },
    ],
    [
      'no cgroup namespace of its own',
      (spec) => {
        spec.linux.namespaces = spec.linux.namespaces?.filter(({ type }) => type !== 'cgroup');
      },
    ],
  ];
  for (const [name, edit] of cases) t.strictSame(ownedBy(await owners(t, edit), 1234), [], name);
});
