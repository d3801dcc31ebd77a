/** The place in which the engines run: what they see, and that nothing stays behind. */
import { existsSync, readlinkSync } from 'node:fs';
import t from 'tap';
import { isAlive, parseMountInfo, repoRoot, runtimeName, runtimePath, waitFor } from '../harness/index.ts';
import { suites } from '../vm/image.ts';
import { EngineTree, engineTrees } from './engine-tree.ts';

const skip = engineTrees();

for (const suite of suites) {
  t.test(`a machine of its own, of ${suite}`, { skip }, async (t) => {
    const place = await EngineTree.enter(t, { suite });
    t.match(await place.outputOf(['cat', '/etc/os-release']), `VERSION_CODENAME=${suite}`);
    t.match(await place.outputOf(['cat', '/proc/self/cgroup']), /^0::\/engine$/m);
    t.equal(await place.outputOf(['stat', '-fc', '%T', '/sys/fs/cgroup']), 'cgroup2fs\n');
    t.match(await place.outputOf(['ip', '-brief', 'address']), /^lo +UNKNOWN +127\.0\.0\.1\/8 ::1\/128 \n$/);
    const mounts = parseMountInfo(await place.outputOf(['cat', '/proc/self/mountinfo']));
    t.notOk(
      mounts.find(({ mountPoint }) => mountPoint.startsWith('/mnt')),
      'the host’s root is out of reach',
    );
    t.equal((await place.run(['touch', `${repoRoot}/x`])).code, 1, 'the checkout cannot be written');
    t.match((await place.run([runtimePath, '--version'])).stdout, `${runtimeName} version`);
    t.match(await place.run(['tty'], { terminal: true }), { code: 0, stdout: /^\/dev\/pts\/0/ });

    for (const kind of ['mnt', 'pid', 'ipc', 'uts', 'net', 'cgroup']) {
      const theirs = (await place.outputOf(['readlink', `/proc/self/ns/${kind}`])).trim();
      t.not(theirs, readlinkSync(`/proc/self/ns/${kind}`), `${kind} namespace`);
    }
  });
}

t.test('the end of a place is the end of its files and processes, daemons too', { skip }, async (t) => {
  let pid = 0;
  await t.test('a place', async (t) => {
    const place = await EngineTree.enter(t, { suite: 'forky' });
    place.writeFile('/etc/engine/new.conf', 'new\n');
    t.equal(await place.outputOf(['cat', '/etc/engine/new.conf']), 'new\n');
    await place.outputOf(['sh', '-c', 'setsid sleep 1000 </dev/null >/dev/null 2>&1 &']);
    pid = place.startDaemon(['sleep', '1001']).pid;
    await waitFor('both', async () =>
      (await place.run(['pgrep', '-c', '100[01]', '-f'])).stdout === '2\n' ? true : undefined,
    );
  });
  t.notOk(isAlive(pid));
  await t.test('another one', async (t) => {
    const place = await EngineTree.enter(t, { suite: 'forky' });
    t.notOk(existsSync(`/proc/${pid}`));
    t.equal((await place.run(['ls', '/etc/engine'])).code, 2);
    t.equal((await place.run(['pgrep', '-f', '100[01]'])).code, 1);
  });
});
