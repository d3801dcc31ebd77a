/** `run`: from config.json to the program's exit code. */
import t from 'tap';
import { requires, sandbox } from '../../harness/index.ts';

const skip = requires({ root: true });

t.test('run exits with the exit code of the program', { skip }, async (t) => {
  const box = sandbox(t);
  t.equal((await box.runContainer(['/bin/true'])).code, 0);
  t.equal((await box.runContainer(['/bin/sh', '-c', 'exit 7'])).code, 7);
});

t.test('run exits with 128 + the number of the signal that ended the program', { skip }, async (t) => {
  // The first process of a pid namespace ignores signals without a handler, unless they come from outside.
  const box = sandbox(t);
  const bundle = box.bundle((spec) => {
    spec.process.args = ['/bin/sleep', '1000'];
  });
  const id = box.newId();
  const running = box.startRuntime(['run', '--bundle', bundle.directory, id]);
  await box.waitForState(id, 'running');
  await box.runtimeOk(['kill', id, 'KILL']);
  t.equal((await running.done).code, 128 + 9);
});

t.test(
  'a signal that comes before run waits goes to the program, too',
  { skip: requires({ root: true, runtime: ['tsrun', 'runc'] }) },
  async (t) => {
    const box = sandbox(t);
    const bundle = box.bundle((spec) => {
      const script = 'trap "exit 5" TERM; : >/ready; while :; do sleep 0.05; done';
      spec.process.args = ['/bin/sh', '-c', script];
      // The hook's parent is the runtime.
      const kill = `until [ -e ${box.directory}/bundle-1/rootfs/ready ]; do sleep 0.05; done; kill -TERM $PPID`;
      const env = ['PATH=/usr/bin:/bin'];
      spec.hooks = { poststart: [{ path: '/bin/sh', args: ['sh', '-c', kill], env }] };
    });
    const { code } = await box.runtime(['run', '--bundle', bundle.directory, box.newId()]);
    t.equal(code, 5);
  },
);

t.test('the program is process 1 and sees its own host name', { skip }, async (t) => {
  const output = await sandbox(t).outputOf('echo $$; hostname', (spec) => {
    spec.hostname = 'a-name-of-its-own';
  });
  t.equal(output, '1\na-name-of-its-own\n');
});

t.test('stdin, stdout and stderr are those of the caller', { skip }, async (t) => {
  const { stdout, stderr } = await sandbox(t).runContainer('cat; echo to stderr >&2', undefined, { input: 'hello' });
  t.equal(stdout, 'hello');
  t.equal(stderr, 'to stderr\n');
});

t.test('a container waits between create and start', { skip }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle((spec) => {
    spec.process.args = ['/bin/touch', '/started'];
  });
  const id = await box.create(bundle);
  t.match(await box.state(id), { id, status: 'created', bundle: bundle.directory });
  t.notOk(bundle.has('started'));
  await box.runtimeOk(['start', id]);
  await box.waitForState(id, 'stopped');
  t.ok(bundle.has('started'));
  await box.runtimeOk(['delete', id]);
  t.equal((await box.runtime(['state', id])).code, 1);
});
