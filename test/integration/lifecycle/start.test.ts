/** `start` reports what goes wrong between the exec socket and the program. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { requires, runtimeName, sandbox, waitFor } from '../../harness/index.ts';

const skip = requires({ root: true });
/** runc and crun release init and report success, whatever execve does. */
const tsrunOnly = requires({ root: true, runtime: 'tsrun' });

const failures: readonly [string, string, RegExp][] = [
  [
    'an interpreter that is not there',
    '#!/no/such/interpreter\n',
    /exec \\"\/program\\": no such file or directory .*interpreter/,
  ],
  ['no format the kernel knows', 'neither ELF nor #!\n', /exec \\"\/program\\": exec format error/],
  ['an interpreter that may not be executed', '#!/etc/passwd\n', /exec \\"\/program\\": permission denied/],
];

for (const [what, content, message] of failures) {
  t.test(`start fails when the program has ${what}`, { skip: tsrunOnly }, async (t) => {
    const box = sandbox(t);
    const bundle = box.bundle((spec) => {
      spec.process.args = ['/program'];
    });
    bundle.addFile('program', content, 0o755);
    const id = await box.create(bundle);
    const { code, stdout, stderr } = await box.runtime(['start', id]);
    t.equal(code, 1);
    t.equal(stdout, '');
    t.match(stderr, message);
    t.equal((await box.state(id)).status, 'stopped');
    await box.runtimeOk(['delete', id]);
  });
}

t.test('start fails when the program is on a noexec mount', { skip: tsrunOnly }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle((spec) => {
    spec.mounts.push({ destination: '/mnt', type: 'bind', source: box.directory, options: ['bind', 'noexec'] });
    spec.process.args = ['/mnt/program'];
  });
  bundle.addFile('../../program', '#!/bin/sh\n', 0o755);
  // faccessat(2) sees the mount's flag, too, so create may report it already.
  const { code, stderr } = await box.runtime(['run', '--bundle', bundle.directory, box.newId()]);
  t.equal(code, 1);
  t.match(stderr, /exec:? \\"\/mnt\/program\\": permission denied/);
});

t.test('of simultaneous starts exactly one succeeds', { skip }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle((spec) => {
    spec.process.args = ['/bin/sh', '-c', 'echo started >>/log; sleep 1000'];
  });
  const id = await box.create(bundle);
  const results = await Promise.all([1, 2, 3, 4].map(() => box.runtime(['start', id])));
  t.equal(results.filter(({ code }) => code === 0).length, 1);
  t.equal((await box.state(id)).status, 'running');
  if (runtimeName !== 'tsrun') return;
  for (const { stderr } of results.filter(({ code }) => code !== 0)) {
    t.match(stderr, 'cannot start an already running container');
  }
});

t.test(
  'a start that is killed leaves a container that is created, running or stopped, and can be deleted',
  { skip: tsrunOnly },
  async (t) => {
    for (const delay of [0, 10, 20, 30, 40, 50, 60, 70]) {
      const box = sandbox(t);
      const bundle = box.bundle((spec) => {
        spec.process.args = ['/bin/sleep', '1000'];
      });
      const id = await box.create(bundle);
      const running = box.startRuntime(['start', id]);
      setTimeout(() => running.child.kill('SIGKILL'), delay);
      await running.done;
      const { status, pid } = await box.state(id);
      t.ok(['created', 'running', 'stopped'].includes(status), `${delay} ms: ${status}`);
      if (status === 'created') {
        // An init that answered the start that is gone ends with it, perhaps only after another start has asked.
        const { code, stderr } = await box.runtime(['start', id]);
        if (code === 0) t.equal((await box.state(id)).status, 'running', 'what is created can be started');
        else t.match(stderr, 'cannot start a container that has stopped');
      } else if (status === 'running') {
        t.notOk(existsSync(join(box.root, id, 'exec.sock')), `${pid} does not wait`);
      }
      await box.runtimeOk(['delete', '--force', id]);
    }
  },
);

t.test('an init that is killed before it is the program is an error of start', { skip: tsrunOnly }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle((spec) => {
    spec.hooks = { startContainer: [{ path: '/bin/sleep', args: ['sleep', '1000'] }] };
  });
  const id = await box.create(bundle);
  const { pid } = await box.state(id);
  const starting = box.startRuntime(['start', id]);
  await waitFor('start to let init go on', () => (existsSync(join(box.root, id, 'exec.sock')) ? undefined : true));
  process.kill(pid, 'SIGKILL');
  const { code, stderr } = await starting.done;
  t.equal(code, 1);
  t.match(stderr, /init was killed before it became the program/);
});

t.test('changes of config.json after create have no effect', { skip }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle((spec) => {
    spec.process.args = ['/bin/sh', '-c', 'echo before >/result'];
  });
  const id = await box.create(bundle);
  bundle.edit((spec) => {
    spec.process.args = ['/bin/sh', '-c', 'echo after >/result'];
  });
  await box.runtimeOk(['start', id]);
  await box.waitForState(id, 'stopped');
  t.equal(readFileSync(join(bundle.rootfs, 'result'), 'utf8'), 'before\n');
});

t.test('config.json may even be gone after create', { skip: tsrunOnly }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle();
  const id = await box.create(bundle);
  bundle.writeRaw('');
  await box.runtimeOk(['start', id]);
  await box.waitForState(id, 'stopped');
  await box.runtimeOk(['delete', id]);
});
