/** The library in a program of an ordinary user's. */
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { OrdinaryUser, repoRoot, requires, run, sandbox, ordinaryId as uid } from '../../harness/index.ts';

const skip = requires({ root: true, userns: true, cgroup2: true, runtime: 'tsrun', commands: ['setpriv', 'unshare'] });

/** Runs a program that has the library, and a root filesystem of its user's. @returns what it says, as JSON */
async function tell(t: Test, program: string, prefix: readonly string[] = []) {
  const user = new OrdinaryUser(sandbox(t));
  const directory = join(user.bundle, 'library');
  mkdirSync(join(directory, 'Release'), { recursive: true });
  for (const name of ['library.mjs', 'library-worker.cjs', 'Release/tsrun.node'])
    copyFileSync(join(repoRoot, 'build', name), join(directory, name));
  const place = JSON.stringify({ root: user.root, rootfs: join(user.bundle, 'rootfs') });
  const file = join(directory, 'program.mjs');
  writeFileSync(
    file,
    `import { create, list, run, spec } from './library.mjs';
    const place = ${place};
    const told = ({ name, code, errno, message, hint }) => ({ name, code, errno, message, hint });
    console.log(JSON.stringify(await (async () => { ${program} })()));`,
  );
  const asUser = ['--reuid', String(uid), '--regid', String(uid), '--clear-groups'];
  const result = await run('setpriv', [...asUser, ...prefix, process.execPath, file], { cwd: '/' });
  t.equal(result.stderr, '');
  return JSON.parse(result.stdout);
}

t.test('run, and a container’s life', { skip }, async (t) => {
  const said = await tell(
    t,
    `const ran = await run('sh', ['-c', 'id -u; echo $$; awk "{ print \\\\$2 }" /proc/self/uid_map; exit 3'], place);
    const container = await create({ spec: await spec(['sleep', '1000']), ...place, id: 'one', stdio: 'ignore' });
    await container.start();
    const { status, owner } = await container.state();
    const inside = await container.exec(['true']).wait();
    await container.kill('KILL');
    const end = await container.wait();
    await container.delete();
    return { ran, status, owner, inside, end, left: await list({ root: place.root }) };`,
  );
  t.match(said, {
    ran: { code: 3, stdout: `0\n1\n${uid}\n`, stderr: '' },
    status: 'running',
    owner: 'nobody',
    inside: { code: 0 },
    end: { signal: 'SIGKILL' },
    left: [],
  });
});

t.test('what an ordinary user may not have', { skip }, async (t) => {
  const said = await tell(
    t,
    `const fails = (options) => run('true', [], { ...place, ...options }).then(() => 'it ran', told);
    return [await fails({ memory: '64M' }), await fails({ root: '/proc/tsrun' }), await fails({ user: 5 })];`,
  );
  const [memory, root, user] = said;
  t.match(memory, { name: 'TsrunError', code: 'ENOCONTROLLER', hint: String });
  t.match(root, { name: 'TsrunError', errno: Number, hint: /--root|directory/ });
  t.match(user, { name: 'TsrunError', code: 'EINVALIDSPEC' });
});

t.test('a host that lets no ordinary user make a user namespace', { skip }, async (t) => {
  const none = 'echo 0 >/proc/sys/user/max_user_namespaces && exec "$@"';
  const said = await tell(
    t,
    `return [await run('true', [], place).then(() => 'it ran', told), await list({ root: place.root })];`,
    ['unshare', '--user', '--map-root-user', 'sh', '-c', none, 'sh'],
  );
  t.match(said, [{ name: 'TsrunError', code: 'EINVALIDSPEC', errno: 28 }, []]);
});
