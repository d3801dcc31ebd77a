/** An ordinary user's containers: nothing here runs as root but the test itself. */
import { chmodSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { type Needs, OrdinaryUser, requires, type Spec, sandbox, ordinaryId as uid } from '../../harness/index.ts';

const needs = { root: true, userns: true, runtime: 'tsrun', commands: ['setpriv'] } satisfies Needs;
const skip = requires(needs);
const skipSubordinate = requires({
  ...needs,
  commands: ['setpriv', 'newuidmap', 'newgidmap'],
  files: ['/etc/subuid', '/etc/subgid'],
});

t.test('run runs the output of spec --rootless', { skip }, async (t) => {
  const user = new OrdinaryUser(sandbox(t));
  await user.ok(['spec', '--rootless']);
  user.edit((spec) => {
    spec.process.args = [
      '/bin/sh',
      '-c',
      'id -u; cat /proc/self/uid_map /proc/self/gid_map /proc/self/setgroups; : > /tmp/made',
    ];
    spec.process.terminal = false;
    spec.root.readonly = false;
  });
  const { stdout } = await user.ok(['run', user.id]);
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).join(' '));
  t.same(lines, ['0', `0 ${uid} 1`, `0 ${uid} 1`, 'deny']);
  t.equal(statSync(join(user.bundle, 'rootfs/tmp/made')).uid, uid);
});

t.test('the whole lifecycle', { skip }, async (t) => {
  const user = new OrdinaryUser(sandbox(t));
  user.write((spec) => {
    spec.process.args = ['/bin/sleep', '1000'];
  });
  const state = async () => JSON.parse((await user.ok(['state', user.id])).stdout);
  await user.ok(['create', user.id]);
  t.match(await state(), { status: 'created', owner: 'nobody' });
  await user.ok(['start', user.id]);
  const { pid, status } = await state();
  t.equal(status, 'running');
  t.equal(statSync(`/proc/${pid}/root/bin`).uid, uid, 'the process is in its root filesystem');
  t.match((await user.ok(['exec', user.id, '/bin/cat', '/proc/1/cmdline'])).stdout, /sleep/);
  t.equal((await user.run(['delete', user.id])).code, 1, 'a running container is not deleted');
  await user.ok(['kill', user.id, 'KILL']);
  await user.ok(['delete', '--force', user.id]);
  t.same(readdirSync(user.root), []);
});

t.test('a container of root with the same name does not matter', { skip }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle((spec) => (spec.process.args = ['/bin/sleep', '1000']));
  await box.create(bundle);
  const user = new OrdinaryUser(box);
  user.write((spec) => {
    spec.process.args = ['/bin/echo', 'here'];
    spec.linux.cgroupsPath = bundle.spec.linux.cgroupsPath;
  });
  t.equal((await user.ok(['run', user.id])).stdout, 'here\n');
});

t.test('subordinate IDs are mapped through newuidmap and newgidmap', { skip: skipSubordinate }, async (t) => {
  const user = new OrdinaryUser(sandbox(t), { subordinate: true });
  user.write((spec) => {
    spec.process.args = ['/bin/sh', '-c', 'cat /proc/self/uid_map; id -u; id -G; : > /tmp/made'];
    spec.process.user = { uid: 5, gid: 6, additionalGids: [7] };
    map(spec, [
      { containerID: 0, hostID: uid, size: 1 },
      { containerID: 1, hostID: 200000, size: 1000 },
    ]);
  });
  chmodSync(join(user.bundle, 'rootfs/tmp'), 0o777);
  const { stdout } = await user.ok(['run', user.id]);
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).join(' '));
  t.same(lines, [`0 ${uid} 1`, '1 200000 1000', '5', '6 7']);
  t.equal(statSync(join(user.bundle, 'rootfs/tmp/made')).uid, 200004);
});

t.test('a range that is not the user’s is refused with its place', { skip: skipSubordinate }, async (t) => {
  const user = new OrdinaryUser(sandbox(t), { subordinate: true });
  user.write((spec) => {
    map(spec, [
      { containerID: 0, hostID: uid, size: 1 },
      { containerID: 1, hostID: 300000, size: 1000 },
    ]);
  });
  const { code, stderr } = await user.run(['run', user.id]);
  t.equal(code, 1);
  t.match(stderr, /\/linux\/gidMappings: newgidmap refused 0 65534 1, 1 300000 1000: .*not allowed.*\/etc\/subgid/);
});

t.test('without newuidmap only one ID can be mapped', { skip }, async (t) => {
  const user = new OrdinaryUser(sandbox(t), { path: '/nonexistent' });
  user.write((spec) => map(spec, [{ containerID: 0, hostID: 200000, size: 10 }]));
  const { code, stderr } = await user.run(['run', user.id]);
  t.equal(code, 1);
  t.match(stderr, '/linux/gidMappings: needs newgidmap, which is not installed');
});

t.test('what is impossible with one mapped ID is refused with its place', { skip }, async (t) => {
  const user = new OrdinaryUser(sandbox(t));
  const error = async (edit: (spec: Spec) => void) => {
    user.write(edit);
    const { code, stderr } = await user.run(['run', user.id]);
    t.equal(code, 1);
    return stderr;
  };
  const groups = await error((spec) => {
    spec.process.user.additionalGids = [0];
  });
  t.match(groups, '/process/user/additionalGids: cannot be set where only one group is mapped');
  const other = await error((spec) => {
    spec.process.user.uid = 1;
  });
  t.match(other, '/process/user/uid: uid 1 is not mapped');
  const none = await error((spec) => {
    spec.linux.namespaces = spec.linux.namespaces.filter(({ type }) => type !== 'user');
    delete spec.linux.uidMappings;
    delete spec.linux.gidMappings;
  });
  t.match(none, '/linux/namespaces: without privilege a container needs a user namespace');
});

function map(spec: Spec, mappings: NonNullable<Spec['linux']['uidMappings']>): void {
  spec.linux.uidMappings = mappings;
  spec.linux.gidMappings = mappings;
}
