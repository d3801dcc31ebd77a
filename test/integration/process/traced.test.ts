/** Before the init process is the container's program, only root may look into it. */
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { inUserNamespace, requires, run, type Sandbox, type Spec, sandbox, waitFor } from '../../harness/index.ts';

const setting = '/proc/sys/fs/suid_dumpable';

// The switch is for the whole machine, so it is changed only in a VM, which has systemd and this user.
const skip = requires({ root: true, runtime: 'tsrun', files: ['/run/systemd/system', '/home/user'] });

/** The container's user as a uid of the host, and the config for it. */
const users: [what: string, uid: number, edit: (spec: Spec) => void][] = [
  [
    'a user',
    1000,
    (spec) => {
      spec.process.user = { uid: 1000, gid: 1000 };
    },
  ],
  ['root of a user namespace', 100_000, inUserNamespace],
];

/** Whether another process of that user can see the descriptors. */
async function looksAt(pid: number, uid: number): Promise<boolean> {
  const ids = ['--reuid', String(uid), '--regid', String(uid), '--clear-groups'];
  const { code } = await run('setpriv', [...ids, 'ls', `/proc/${pid}/fd`]);
  return code === 0;
}

async function create(box: Sandbox, edit: (spec: Spec) => void): Promise<string> {
  const bundle = box.bundle((spec) => {
    spec.process.args = ['/bin/sleep', '100000'];
    // Capabilities would keep out its own user as well.
    delete spec.process.capabilities;
    delete spec.linux.seccomp;
    edit(spec);
  });
  return box.create(bundle);
}

t.test('not even the container’s own user may look, where fs.suid_dumpable is 1', { skip }, async (t) => {
  const before = readFileSync(setting, 'utf8');
  writeFileSync(setting, '1');
  t.teardown(() => writeFileSync(setting, before));
  for (const [what, uid, edit] of users) {
    const box = sandbox(t);
    const id = await create(box, edit);
    const { pid } = await box.state(id);
    t.notOk(await looksAt(pid, uid), `${what}: not while it waits for start`);
    t.equal(statSync(`/proc/${pid}/fd`).uid, 0, what);
    await box.runtimeOk(['start', id]);
    // start returns during execve, which a moment later gives the process to its user.
    await waitFor(`the program to be that of ${what}`, async () => (await looksAt(pid, uid)) || undefined);
    t.equal(statSync(`/proc/${pid}/fd`).uid, uid, what);
  }
});
