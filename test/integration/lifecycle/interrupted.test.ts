/** A create or run that is ended by a signal leaves nothing behind, as the sandbox checks. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import {
  type Bundle,
  type Running,
  requires,
  runsOnNode,
  runtimePath,
  type Sandbox,
  sandbox,
  waitFor,
} from '../../harness/index.ts';

/** crun's create leaves its cgroup behind, and runc passes the signal on to the program later. */
const skip = requires({ root: true, runtime: 'tsrun' });

type HookKind = 'createRuntime' | 'createContainer' | 'startContainer' | 'poststart';

const env = ['PATH=/usr/bin:/bin'];

/** A bundle whose hook of that kind reports that it runs, and then does not end. */
function slowBundle(box: Sandbox, kind: HookKind): { bundle: Bundle; running: string; poststop: string } {
  const bundle = box.bundle();
  // The path works for a hook in the container, too.
  const place = kind === 'startContainer' ? '' : bundle.rootfs;
  const script = `: > ${place}/running; while :; do sleep 1000; done`;
  const poststop = join(box.directory, 'poststop');
  bundle.edit((spec) => {
    spec.process.args = ['/bin/sleep', '1000'];
    spec.hooks = {
      [kind]: [{ path: '/bin/sh', args: ['sh', '-c', script], env }],
      poststop: [{ path: '/bin/sh', args: ['sh', '-c', `sleep 0.1; : > ${poststop}`], env }],
    };
  });
  return { bundle, running: join(bundle.rootfs, 'running'), poststop };
}

async function checkUndone(t: Test, box: Sandbox, { done }: Running, signal: string, number: number): Promise<void> {
  const { code, stderr } = await done;
  t.equal(code, 128 + number);
  t.match(stderr, `interrupted by ${signal}`);
  t.same(
    readdirSync(box.root).filter((name) => !name.startsWith('.')),
    [],
    'no state',
  );
}

const signals = [
  ['SIGHUP', 1],
  ['SIGINT', 2],
  ['SIGTERM', 15],
] as const;

const commands: [command: string[], hooks: HookKind[]][] = [
  [['create'], ['createRuntime', 'createContainer']],
  [['run'], ['createRuntime', 'createContainer']],
  [
    ['run', '--detach'],
    ['createRuntime', 'createContainer', 'startContainer', 'poststart'],
  ],
];

for (const [command, hooks] of commands) {
  for (const kind of hooks) {
    t.test(`${command.join(' ')}, in a ${kind} hook`, { skip }, async (t) => {
      for (const [signal, number] of signals) {
        const box = sandbox(t);
        const { bundle, running, poststop } = slowBundle(box, kind);
        const files = join(box.directory, 'output');
        const runtime = box.startRuntime([...command, '--bundle', bundle.directory, box.newId()], {
          outputFiles: files,
        });
        await waitFor(`the ${kind} hook`, () => existsSync(running) || undefined);
        runtime.child.kill(signal);
        await checkUndone(t, box, runtime, signal, number);
        t.ok(existsSync(poststop), 'poststop hooks have run to their end');
        t.notOk(existsSync(box.cgroupOf(bundle)), 'no cgroup');
      }
    });
  }
}

t.test('a signal that comes while nothing waits', { skip }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle((spec) => {
    // A hook that succeeds sends the signal.
    spec.hooks = { createRuntime: [{ path: '/bin/sh', args: ['sh', '-c', 'kill -TERM $PPID'], env }] };
  });
  for (const command of ['create', 'run']) {
    const runtime = box.startRuntime([command, '--bundle', bundle.directory, box.newId()], {
      outputFiles: join(box.directory, 'output'),
    });
    await checkUndone(t, box, runtime, 'SIGTERM', 15);
  }
});

/** Node resets the actions of all signals when it starts. */
const skipOnNode = skip || (runsOnNode && 'is about the executable');

t.test('a signal that the caller ignores stays ignored', { skip: skipOnNode }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle((spec) => {
    spec.process.args = ['/bin/true'];
    spec.hooks = { createRuntime: [{ path: '/bin/sh', args: ['sh', '-c', 'kill -HUP $PPID'], env }] };
  });
  const script = 'trap "" HUP; exec "$@"';

  const command = [runtimePath, '--root', box.root, 'run', '--bundle', bundle.directory, box.newId()];
  const { code } = await box.startProgram('/bin/sh', ['-c', script, 'sh', ...command]).done;
  t.equal(code, 0);
});
