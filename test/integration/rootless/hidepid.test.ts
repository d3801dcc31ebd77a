/**
 * An ordinary user whose /proc is mounted with hidepid (proc(5)): it hides every process that the user may not trace: a
 * created container, and one whose program nobody may read. A hidden process is not therefore gone.
 */
import { chmodSync, chownSync, readdirSync, readFileSync } from 'node:fs';
import { release } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type Needs, OrdinaryUser, requires, sandbox, waitFor } from '../../harness/index.ts';

const needs: Needs = { root: true, userns: true, runtime: 'tsrun', commands: ['setpriv'] };
/** Before Linux 6.9 create says that it cannot look at its process. */
const [major = 0, minor = 0] = release().split('.').map(Number);
const hasPidfs = major > 6 || (major === 6 && minor >= 9);
const skip = requires(needs) || (hasPidfs ? false : 'needs Linux 6.9');

const stateOf = async (user: OrdinaryUser) => JSON.parse((await user.ok(['state', user.id])).stdout);

/** The user has a container with a program that only root may read: then its process is not dumpable. */
function unreadable(t: Test, hidepid: string): OrdinaryUser {
  const user = new OrdinaryUser(sandbox(t), { hidepid });
  user.write((spec) => {
    spec.process.args = ['/bin/busybox', 'sleep', '1000'];
  });
  const program = join(user.bundle, 'rootfs/bin/busybox');
  chownSync(program, 0, 0);
  chmodSync(program, 0o711);
  return user;
}

/** Seen by the test, which is root and has the machine's own /proc. */
const isRunning = (pid: number) => /^State:\s+[SRD]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));

for (const hidepid of ['invisible', 'noaccess', 'ptraceable']) {
  t.test(`hidepid=${hidepid}: a created container counts as created`, { skip }, async (t) => {
    const user = new OrdinaryUser(sandbox(t), { hidepid });
    user.write((spec) => {
      spec.process.args = ['/bin/sleep', '1000'];
    });
    await user.ok(['create', user.id]);
    const { status, pid } = await stateOf(user);
    t.equal(status, 'created');
    t.ok(isRunning(pid));
    t.match((await user.ok(['list'])).stdout, /created/);
    await user.ok(['start', user.id]);
    t.match(await stateOf(user), { status: 'running', pid });
    t.match(await user.run(['start', user.id]), { code: 1, stderr: /already running/ });
    t.match((await user.ok(['exec', user.id, '/bin/cat', '/proc/1/cmdline'])).stdout, /sleep/);
    t.match(await user.run(['delete', user.id]), { code: 1, stderr: /not stopped: running/ });
    await user.ok(['kill', user.id, 'KILL']);
    await waitFor('the end', async () => (await stateOf(user)).status === 'stopped' || undefined);
    t.match(await user.run(['start', user.id]), { code: 1, stderr: /cannot start a container that has stopped/ });
    await user.ok(['delete', user.id]);
    t.same(readdirSync(user.root), []);
  });

  t.test(`hidepid=${hidepid}: a hidden running container is not gone, and can be ended`, { skip }, async (t) => {
    const user = unreadable(t, hidepid);
    await user.ok(['run', '--detach', user.id]);
    const { status, pid } = await stateOf(user);
    t.equal(status, 'running');
    const exec = await user.run(['exec', user.id, '/bin/true']);
    t.equal(exec.code, 255);
    t.notMatch(exec.stderr, 'stopped');
    t.match(await user.run(['delete', user.id]), { code: 1, stderr: /not stopped: running/ });
    t.ok(isRunning(pid), 'the container has lived through all of it');
    await user.ok(['kill', user.id, 'KILL']);
    await waitFor('the end', async () => (await stateOf(user)).status === 'stopped' || undefined);
    await user.ok(['delete', user.id]);
    t.same(readdirSync(user.root), []);
  });

  t.test(`hidepid=${hidepid}: delete --force ends what it cannot see`, { skip }, async (t) => {
    const user = unreadable(t, hidepid);
    await user.ok(['run', '--detach', user.id]);
    const { pid } = await stateOf(user);
    await user.ok(['delete', '--force', user.id]);
    t.notOk(isThereAndRuns(pid));
    t.same(readdirSync(user.root), []);
  });

  t.test(`hidepid=${hidepid}: hooks in the container get the pid that is valid there`, { skip }, async (t) => {
    const user = new OrdinaryUser(sandbox(t), { hidepid });
    user.write((spec) => {
      spec.process.args = ['/bin/cat', '/tmp/state'];
      spec.hooks = { startContainer: [{ path: '/bin/sh', args: ['sh', '-c', 'cat > /tmp/state'] }] };
    });
    t.match(JSON.parse((await user.ok(['run', user.id])).stdout), { id: user.id, status: 'created', pid: 1 });
  });
}

function isThereAndRuns(pid: number): boolean {
  try {
    return isRunning(pid);
  } catch {
    return false;
  }
}
