/** An ordinary user to whom a cgroup was delegated (cgroup-v2.rst, Delegation), without systemd. */
import { chownSync, existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import {
  cgroup2Controllers,
  cgroup2Mount,
  type Needs,
  OrdinaryUser,
  ordinaryId,
  requires,
  sandbox,
  waitFor,
} from '../../harness/index.ts';

const needs = { root: true, userns: true, cgroup2: true, runtime: 'tsrun', commands: ['setpriv'] } satisfies Needs;
const skip = requires(needs);
const skipLimits = requires({ ...needs, controllers: ['memory', 'pids'] });

/** The user and the user's cgroup. */
interface Delegate {
  user: OrdinaryUser;
  cgroup: string;
}

/** @param shell the user's own cgroup below the delegated one; '' for that itself */
function delegate(t: Test, shell: string): Delegate {
  const box = sandbox(t);
  const mount = cgroup2Mount() ?? '';
  const cgroup = join(mount, box.cgroup);
  const own = join(cgroup, shell);
  for (const directory of new Set([cgroup, own])) {
    mkdirSync(directory);
    const files = ['', 'cgroup.procs', 'cgroup.subtree_control', 'cgroup.threads'];
    for (const file of files) chownSync(join(directory, file), ordinaryId, ordinaryId);
  }
  const controllers = ['memory', 'pids'].filter((name) => cgroup2Controllers().includes(name));
  for (const name of controllers) writeFileSync(join(mount, 'cgroup.subtree_control'), `+${name}`);
  t.teardown(() => own !== cgroup && rmdirSync(own));
  const user = new OrdinaryUser(box, { cgroup: own });
  user.write((spec) => {
    spec.process.args = ['/bin/sh', '-c', 'sleep 1000 & exec sleep 1000'];
  });
  return { user, cgroup };
}

for (const shell of ['shell', '']) {
  const where = shell === '' ? 'in the delegated cgroup' : 'below the delegated cgroup';

  t.test(`a user ${where} can use all commands`, { skip }, async (t) => {
    const { user, cgroup } = delegate(t, shell);
    const status = async () => JSON.parse((await user.ok(['state', user.id])).stdout).status;
    const pids = async () => JSON.parse((await user.ok(['ps', '--format', 'json', user.id])).stdout);
    t.notMatch((await user.ok(['--log-level', 'info', 'run', '--detach', user.id])).stderr, 'gets no cgroup');
    await waitFor('both processes', async () => (await pids()).length === 2 || undefined);
    t.ok(existsSync(join(cgroup, user.id)), 'its cgroup is a child of the delegated one');
    await user.ok(['pause', user.id]);
    t.equal(await status(), 'paused');
    t.match(readFileSync(join(cgroup, user.id, 'cgroup.events'), 'utf8'), 'frozen 1');
    await user.ok(['resume', user.id]);
    t.equal(await status(), 'running');
    const { data } = JSON.parse((await user.ok(['events', '--stats', user.id])).stdout);
    t.ok(data.cpu.usage.total >= 0);
    t.equal((await user.ok(['exec', user.id, '/bin/cat', '/proc/self/cgroup'])).stdout.match(/^0::.*/m)?.[0], '0::/');
    await user.ok(['kill', '--all', user.id, 'KILL']);
    await waitFor('the end', async () => (await status()) === 'stopped' || undefined);
    await user.ok(['delete', user.id]);
    t.notOk(existsSync(join(cgroup, user.id)));
    t.same(readdirSync(user.root), []);
  });
}

t.test('limits hold below a delegated cgroup', { skip: skipLimits }, async (t) => {
  const { user, cgroup } = delegate(t, 'shell');
  user.edit((spec) => {
    spec.linux.resources = { memory: { limit: 67_108_864 }, pids: { limit: 20 } };
  });
  await user.ok(['run', '--detach', user.id]);
  const limits = () =>
    ['memory.max', 'pids.max'].map((name) => readFileSync(join(cgroup, user.id, name), 'utf8').trim());
  t.strictSame(limits(), ['67108864', '20']);
  await user.ok(['update', '--memory', '32M', '--pids-limit', '10', user.id]);
  t.strictSame(limits(), ['33554432', '10']);
  const { data } = JSON.parse((await user.ok(['events', '--stats', user.id])).stdout);
  t.equal(data.pids.limit, 10);
  await user.ok(['delete', '--force', user.id]);
});

t.test(
  'in the delegated cgroup itself a limit is refused with a hint how to get it',
  { skip: skipLimits },
  async (t) => {
    const { user } = delegate(t, '');
    user.edit((spec) => {
      spec.process.args = ['/bin/true'];
      spec.linux.resources = { pids: { limit: 20 } };
    });
    const { code, stderr } = await user.run(['run', user.id]);
    t.equal(code, 1);
    t.match(
      stderr,
      /controller pids cannot be enabled in .*EBUSY: it has processes of its own.*\(at \S+config\.json:\d+:\d+: \/linux\/resources\/pids\/limit; hint: move them to a cgroup below/,
    );
    t.same(readdirSync(user.root), []);
  },
);
