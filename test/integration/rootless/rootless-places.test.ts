/**
 * Places where users without privileges may run containers: there the output of `spec --rootless` runs as it is, and
 * all commands do what is possible. docs/rootless.md has the table.
 */
import { readdirSync } from 'node:fs';
import t from 'tap';
import { type Needs, OrdinaryUser, requires, sandbox } from '../../harness/index.ts';
import type { UserOptions } from '../../harness/ordinary-user.ts';

const needs = { root: true, userns: true, runtime: 'tsrun', commands: ['setpriv', 'script'] } satisfies Needs;
const skip = requires(needs);
const helpers = [...needs.commands, 'newuidmap', 'newgidmap'];
const skipSubordinate = requires({ ...needs, commands: helpers, files: ['/etc/subuid', '/etc/subgid'] });

interface Place extends UserOptions {
  name: string;
  /** The container's own view of its map, line by line. */
  uidMap: RegExp;
}

const asRoot = ['--user', '--map-root-user'];
const places: Place[] = [
  { name: 'an ordinary user', uidMap: /^0 65534 1$/ },
  { name: 'with subordinate IDs', subordinate: true, uidMap: /^0 65534 1, 1 200000 1000$/ },
  { name: 'root of a user namespace', namespaces: asRoot, uidMap: /^0 0 1$/ },
  { name: 'root of a user namespace with mounts of its own', namespaces: [...asRoot, '--mount'], uidMap: /^0 0 1$/ },
  {
    name: 'root of a user namespace with many IDs, as podman unshare makes it',
    subordinate: true,
    namespaces: [...asRoot, '--map-auto', '--mount'],
    // unshare(1) of util-linux 2.38 leaves out the last ID.
    uidMap: /^0 0 1, 1 1 (999|1000)$/,
  },
];

for (const { name, uidMap, ...options } of places) {
  const skipHere = options.subordinate ? skipSubordinate : skip;

  t.test(`${name}: the output of spec --rootless runs as it is`, { skip: skipHere }, async (t) => {
    const user = await OrdinaryUser.enter(sandbox(t), options);
    user.writeSpec();
    const { code, stdout } = await user.runInTerminal(['run', user.id], 'cat /proc/self/uid_map; tty; exit 7\n');
    t.equal(code, 7, stdout);
    t.notMatch(stdout, 'level=', 'what is usual here is no warning');
    const lines = stdout.split('\n').map((line) => line.trim().split(/\s+/).join(' '));
    t.match(lines.filter((line) => /^\d+ \d+ \d+$/.test(line)).join(', '), uidMap);
    t.match(stdout, /^\/dev\/(console|pts\/0)\r$/m);
    t.same(readdirSync(user.root), []);
  });

  t.test(`${name}: the whole lifecycle`, { skip: skipHere }, async (t) => {
    const user = await OrdinaryUser.enter(sandbox(t), options);
    user.write((spec) => {
      spec.process.args = ['/bin/sleep', '1000'];
    });
    const status = async () => JSON.parse((await user.ok(['state', user.id])).stdout).status;
    const { stderr } = await user.ok(['--log-level', 'info', 'create', user.id]);
    t.match(stderr, /cannot make the cgroup .*: the container gets no cgroup, and so no limits, .*stats \(.+\)/);
    t.equal(await status(), 'created');
    await user.ok(['start', user.id]);
    t.equal(await status(), 'running');
    t.match((await user.ok(['list'])).stdout, user.id);
    t.match((await user.ok(['exec', user.id, '/bin/cat', '/proc/1/cmdline'])).stdout, /sleep/);
    const { code, stdout } = await user.runInTerminal(['exec', '--tty', user.id, '/bin/sh'], 'tty; exit 7\n');
    t.equal(code, 7);
    t.match(stdout, /^\/dev\/pts\/\d+\r$/m);
    await user.ok(['kill', user.id, 'KILL']);
    await user.ok(['delete', '--force', user.id]);
    t.same(readdirSync(user.root), []);
  });

  t.test(`${name}: what needs a cgroup is refused with a hint how to get one`, { skip: skipHere }, async (t) => {
    const user = await OrdinaryUser.enter(sandbox(t), options);
    user.write((spec) => {
      spec.process.args = ['/bin/sleep', '1000'];
    });
    await user.ok(['run', '--detach', user.id]);
    for (const command of [['pause'], ['events', '--stats'], ['update', '--cpu-share', '50']]) {
      const { code, stderr } = await user.run([...command, user.id]);
      t.equal(code, 1, command.join(' '));
      t.match(stderr, /cgroup.*\(hint: .*Delegate=yes.*--systemd-cgroup/, command.join(' '));
    }
    await user.ok(['delete', '--force', user.id]);

    user.edit((spec) => {
      spec.process.args = ['/bin/true'];
      spec.linux.resources = { unified: { 'cgroup.max.depth': '5' } };
    });
    const { code, stderr } = await user.run(['run', user.id]);
    t.equal(code, 1);
    t.match(stderr, /cannot make the cgroup .*hint: .*Delegate=yes.*--systemd-cgroup/);
    t.same(readdirSync(user.root), []);
  });
}

t.test('without a cgroup and a cgroup namespace the container sees no cgroup', { skip }, async (t) => {
  const user = new OrdinaryUser(sandbox(t));
  user.write((spec) => {
    spec.process.args = ['/bin/sh', '-c', 'ls -A /sys/fs/cgroup | wc -l; mkdir /sys/fs/cgroup/x'];
    spec.linux.namespaces = spec.linux.namespaces.filter(({ type }) => type !== 'cgroup');
  });
  const { stdout, stderr } = await user.run(['run', user.id]);
  t.equal(stdout, '0\n');
  t.match(stderr, /Read-only file system/);
});
