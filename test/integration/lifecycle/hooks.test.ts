/**
 * config.md, POSIX-platform Hooks: which hooks run when, where and with what. runtime.md, Lifecycle: what happens if
 * one fails.
 */
import { existsSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { Hooks } from '../../../src/generated/spec.ts';
import { requires, runtimeName, type Sandbox, type Spec, sandbox, waitFor } from '../../harness/index.ts';

const skip = requires({ root: true });
const tsrunOnly = requires({ root: true, runtime: 'tsrun' });
/** crun 1.8 dies of SIGPIPE if a hook does not read its stdin, and runs no poststop hooks after a failed create. */
const notCrun = requires({ root: true, runtime: ['tsrun', 'runc'] });

type Kind = keyof Hooks & string;

const kinds: readonly Kind[] = [
  'prestart',
  'createRuntime',
  'createContainer',
  'startContainer',
  'poststart',
  'poststop',
];
const inContainer: readonly Kind[] = ['createContainer', 'startContainer'];

/** The sandbox's directory inside the container, for what startContainer hooks and the program write. */
const box = '/box';

/** The sandbox's directory as a hook of this kind sees it: startContainer hooks run after pivot_root. */
function directoryFor(kind: Kind, sandbox: Sandbox): string {
  return kind === 'startContainer' ? box : sandbox.directory;
}

function shell(script: string) {
  return { path: '/bin/sh', args: ['sh', '-c', script] };
}

/** Adds one hook of each kind to the config, and mounts the sandbox's directory. */
function everyKind(spec: Spec, sandbox: Sandbox, hook: (kind: Kind, directory: string) => { path: string }): void {
  mountBox(spec, sandbox);
  spec.hooks = Object.fromEntries(kinds.map((kind) => [kind, [hook(kind, directoryFor(kind, sandbox))]]));
}

function mountBox(spec: Spec, sandbox: Sandbox): void {
  spec.mounts.push({ destination: box, type: 'bind', source: sandbox.directory, options: ['bind', 'rw'] });
}

function read(sandbox: Sandbox, name: string): string {
  return readFileSync(join(sandbox.directory, name), 'utf8');
}

// runc 1.1 runs startContainer hooks in create.
t.test('all hooks run once, in the order of the lifecycle and of each list', { skip: tsrunOnly }, async (t) => {
  const sand = sandbox(t);
  const bundle = sand.bundle((spec) => {
    mountBox(spec, sand);
    spec.process.args = ['/bin/sh', '-c', `echo program >>${box}/log; sleep 1000`];
    spec.hooks = Object.fromEntries(
      kinds.map((kind) => [
        kind,
        [1, 2].map((number) => shell(`echo ${kind} ${number} >>${directoryFor(kind, sand)}/log`)),
      ]),
    );
  });
  const lines = () => read(sand, 'log').trim().split('\n');
  const twice = (...of: Kind[]) => of.flatMap((kind) => [`${kind} 1`, `${kind} 2`]);

  const id = await sand.create(bundle);
  const created = twice('prestart', 'createRuntime', 'createContainer');
  t.same(lines(), created, 'create');

  await sand.runtimeOk(['start', id]);
  // The program and the poststart hooks run at the same time.
  await waitFor('the program', () => (lines().includes('program') ? true : undefined));
  const started = [...created, ...twice('startContainer'), ...twice('poststart')];
  const isProgram = (line: string) => line === 'program';
  t.same(
    lines().filter((line) => !isProgram(line)),
    started,
    'start',
  );
  t.ok(lines().findIndex(isProgram) > lines().indexOf('startContainer 2'), 'the program comes after startContainer');

  await sand.runtimeOk(['delete', '--force', id]);
  t.same(lines().slice(started.length + 1), twice('poststop'), 'delete');
});

t.test('hooks run in the namespaces that the specification says', { skip }, async (t) => {
  const sand = sandbox(t);
  const names = ['mnt', 'uts', 'ipc', 'net', 'pid'];
  const bundle = sand.bundle((spec) => {
    const list = (file: string) => `for n in ${names.join(' ')}; do readlink /proc/self/ns/$n; done >${file}`;
    everyKind(spec, sand, (kind, directory) => shell(list(`${directory}/${kind}`)));
    spec.process.args = ['/bin/sh', '-c', `${list(`${box}/program`)}; sleep 1000`];
  });
  const id = await sand.create(bundle);
  await sand.runtimeOk(['start', id]);
  await sand.waitForState(id, 'running');
  const program = await waitFor('the program', () =>
    existsSync(join(sand.directory, 'program')) && read(sand, 'program').split('\n').length > names.length
      ? read(sand, 'program')
      : undefined,
  );
  await sand.runtimeOk(['delete', '--force', id]);
  const host = names.map((name) => `${readlinkSync(`/proc/self/ns/${name}`)}\n`).join('');
  for (const kind of kinds) t.equal(read(sand, kind), inContainer.includes(kind) ? program : host, kind);
});

t.test(
  'paths of hooks are relative to the runtime’s root; those of startContainer to the container’s',
  { skip: notCrun },
  async (t) => {
    const sand = sandbox(t);
    const bundle = sand.bundle((spec) => {
      everyKind(spec, sand, (kind, directory) =>
        shell(`test -e /only-in-the-image && touch ${directory}/${kind}; true`),
      );
    });
    bundle.addFile('only-in-the-image', '');
    await sand.runtimeOk(['run', '--bundle', bundle.directory, sand.newId()]);
    t.same(
      kinds.filter((kind) => existsSync(join(sand.directory, kind))),
      ['startContainer'],
    );
  },
);

// runc 1.1 and crun 1.8 give most hooks the status `created`, and crun a pid of 0 inside the container.
t.test('hooks get the state on stdin', { skip: tsrunOnly }, async (t) => {
  const sand = sandbox(t);
  const bundle = sand.bundle((spec) => {
    everyKind(spec, sand, (kind, directory) => shell(`cat >${directory}/${kind}`));
    spec.annotations = { 'org.example.key': 'a value' };
    spec.process.args = ['/bin/sleep', '1000'];
  });
  const id = await sand.create(bundle);
  const { pid } = await sand.state(id);
  await sand.runtimeOk(['start', id]);
  await sand.runtimeOk(['delete', '--force', id]);
  const expected: Record<string, { status: string; pid?: number }> = {
    prestart: { status: 'creating', pid },
    createRuntime: { status: 'creating', pid },
    createContainer: { status: 'creating', pid: 1 },
    startContainer: { status: 'created', pid: 1 },
    poststart: { status: 'running', pid },
    poststop: { status: 'stopped' },
  };
  for (const kind of kinds) {
    const state = JSON.parse(read(sand, kind));
    t.match(state, { id, bundle: bundle.directory, annotations: { 'org.example.key': 'a value' } }, kind);
    t.match(state, expected[kind] ?? {}, kind);
  }
});

t.test('hooks get their own arguments and environment, and nothing else', { skip: notCrun }, async (t) => {
  const sand = sandbox(t);
  const bundle = sand.bundle((spec) => {
    everyKind(spec, sand, (kind, directory) => ({
      path: kind === 'startContainer' ? '/bin/busybox' : '/bin/dd',
      args: ['dd', 'if=/proc/self/environ', `of=${directory}/${kind}`],
      env: ['ONE=1', 'SPACE=a b'],
    }));
  });
  await sand.runtimeOk(['run', '--bundle', bundle.directory, sand.newId()], {
    env: { PATH: process.env.PATH ?? '', CALLER: 'secret' },
  });
  for (const kind of kinds) t.equal(read(sand, kind), 'ONE=1\0SPACE=a b\0', kind);
});

// runc 1.1 leaves descriptors of its own to createContainer hooks.
t.test('hooks see stdin, stdout and stderr only', { skip: tsrunOnly }, async (t) => {
  const sand = sandbox(t);
  const bundle = sand.bundle((spec) => {
    // The shell itself opens nothing else; ls would have the directory open.
    everyKind(spec, sand, (kind, directory) => shell(`cd /proc/self/fd && echo * >${directory}/${kind}`));
  });
  await sand.runtimeOk(['run', '--bundle', bundle.directory, sand.newId()]);
  for (const kind of kinds) t.match(read(sand, kind), /^0 1 2( \d+)?\n$/, kind);
});

/** Hooks that leave a trace that they ran, and one that prints a reason and fails. */
function failingAt(sand: Sandbox, failing: Kind) {
  return sand.bundle((spec) => {
    everyKind(spec, sand, (kind, directory) =>
      shell(`echo ${kind} >>${directory}/log${kind === failing ? '; echo the reason is this >&2; exit 9' : ''}`),
    );
    spec.process.args = ['/bin/sh', '-c', `echo program >>${box}/log; sleep 1000`];
  });
}

const ofCreate: readonly Kind[] = ['prestart', 'createRuntime', 'createContainer'];

for (const kind of ofCreate) {
  t.test(
    `when a ${kind} hook fails, create fails, undoes everything and runs the poststop hooks`,
    { skip: notCrun },
    async (t) => {
      const sand = sandbox(t);
      const id = sand.newId();
      const { code, stderr } = await sand.runtime(['create', '--bundle', failingAt(sand, kind).directory, id]);
      t.equal(code, 1);
      t.equal((await sand.runtime(['state', id])).code, 1, 'the container does not exist');
      const before = ofCreate.slice(0, ofCreate.indexOf(kind) + 1);
      t.same(read(sand, 'log').trim().split('\n'), [...before, 'poststop']);
      if (runtimeName === 'tsrun') t.match(stderr, hookError(kind));
    },
  );
}

/** One line with the hook, how it ended and the end of its output. */
function hookError(kind: Kind): RegExp {
  return new RegExp(
    `^.*error running ${kind} hook #0: /bin/sh: exited with status 9; its output ended: the reason is this.*\n$`,
  );
}

// runc and crun start the program and report success, whatever the hook does.
t.test('when a startContainer hook fails, start fails and the container is gone', { skip: tsrunOnly }, async (t) => {
  const sand = sandbox(t);
  const id = await sand.create(failingAt(sand, 'startContainer'));
  const { code, stderr } = await sand.runtime(['start', id]);
  t.equal(code, 1);
  t.match(stderr, hookError('startContainer'));
  t.equal((await sand.runtime(['state', id])).code, 1, 'the container does not exist');
  t.same(read(sand, 'log').trim().split('\n'), [...ofCreate, 'startContainer', 'poststop']);
});

t.test('when a poststart hook fails, start fails and the container is gone', { skip: tsrunOnly }, async (t) => {
  const sand = sandbox(t);
  const id = await sand.create(failingAt(sand, 'poststart'));
  const { code, stderr } = await sand.runtime(['start', id]);
  t.equal(code, 1);
  t.match(stderr, hookError('poststart'));
  t.equal((await sand.runtime(['state', id])).code, 1, 'the container does not exist');
  t.match(read(sand, 'log'), /poststart\n(.*\n)*poststop\n$/);
});

t.test('when a poststop hook fails, delete warns and goes on', { skip: tsrunOnly }, async (t) => {
  // runc stops at the first that fails.
  const sand = sandbox(t);
  const bundle = failingAt(sand, 'poststop').edit((spec) => {
    spec.hooks?.poststop?.push(shell(`echo the second >>${sand.directory}/log`));
  });
  const id = await sand.create(bundle);
  const { code, stderr } = await sand.runtime(['delete', id]);
  t.equal(code, 0);
  t.match(stderr, /level=warning .*error running poststop hook #0: \/bin\/sh: exited with status 9/);
  // The container's own copy of the config is gone by then.
  t.match(stderr, `(at ${bundle.directory}/config.json:`);
  t.match(stderr, /:\d+:\d+: \/hooks\/poststop\/0; hint/);
  t.match(read(sand, 'log'), /poststop\nthe second\n$/);
  t.equal((await sand.runtime(['state', id])).code, 1);
});

t.test('run fails with the hook’s error and leaves nothing', { skip: tsrunOnly }, async (t) => {
  for (const kind of kinds.filter((kind) => kind !== 'poststop')) {
    const sand = sandbox(t);
    const id = sand.newId();
    const { code, stderr } = await sand.runtime(['run', '--bundle', failingAt(sand, kind).directory, id]);
    t.equal(code, 1, kind);
    t.match(stderr, hookError(kind));
    t.match(await sand.runtime(['state', id]), { code: 1 });
    t.match(read(sand, 'log'), /poststop\n$/, kind);
  }
});

// runc waits for the processes that the hook has started, and crun leaves them running.
t.test('a hook that runs past its timeout is killed with all that it started', { skip: tsrunOnly }, async (t) => {
  for (const kind of ['createRuntime', 'createContainer'] as const) {
    const sand = sandbox(t);
    const bundle = sand.bundle((spec) => {
      // The shell waits for a process of its own. If that is left over, the sandbox's leak check fails.
      const hook = { ...shell(`cd ${sand.directory}; sleep 1000; true`), timeout: 1 };
      spec.hooks = { [kind]: [hook] };
    });
    const { code, stderr } = await sand.runtime(['create', '--bundle', bundle.directory, sand.newId()]);
    t.equal(code, 1, kind);
    t.match(stderr, `error running ${kind} hook #0: /bin/sh: hook ran past specified timeout of 1s`);
  }
});

t.test('the error says if a hook cannot be started or was killed', { skip: tsrunOnly }, async (t) => {
  const cases: [Kind, { path: string; args?: string[] }, RegExp][] = [
    [
      'createRuntime',
      { path: '/does/not/exist' },
      /error running createRuntime hook #0: \/does\/not\/exist: could not be started: ENOENT/,
    ],
    [
      'createContainer',
      { path: '/does/not/exist' },
      /error running createContainer hook #0: \/does\/not\/exist: could not be started: ENOENT/,
    ],
    ['createRuntime', { path: '/etc/passwd' }, /could not be started: EACCES/],
    ['createRuntime', shell('kill -USR1 $$'), /was killed by signal 10/],
    ['createContainer', shell('kill -USR1 $$'), /was killed by signal 10/],
  ];
  for (const [kind, hook, message] of cases) {
    const sand = sandbox(t);
    const bundle = sand.bundle((spec) => {
      spec.hooks = { [kind]: [hook] };
    });
    const { code, stderr } = await sand.runtime(['create', '--bundle', bundle.directory, sand.newId()]);
    t.equal(code, 1);
    t.match(stderr, message);
  }
});

t.test('a failing hook is numbered as by runc', { skip: notCrun }, async (t) => {
  for (const kind of ['prestart', 'createRuntime', 'createContainer'] as const) {
    const sand = sandbox(t);
    const bundle = sand.bundle((spec) => {
      spec.hooks = { [kind]: [shell('true'), shell('exit 3')] };
    });
    const { stderr } = await sand.runtime(['create', '--bundle', bundle.directory, sand.newId()]);
    t.match(stderr, `error running ${kind} hook #1: `);
  }
});

t.test('the end of long output is reported on one line', { skip: tsrunOnly }, async (t) => {
  for (const kind of ['createRuntime', 'createContainer'] as const) {
    const sand = sandbox(t);
    const bundle = sand.bundle((spec) => {
      spec.hooks = { [kind]: [shell('seq 1 100000; printf "\\033[2Jlast words\\n"; exit 1')] };
    });
    const { stderr } = await sand.runtime(['create', '--bundle', bundle.directory, sand.newId()]);
    t.match(stderr, /99999; 100000; .*last words/, kind);
    t.notMatch(stderr, '\u001b', 'no control characters');
    t.equal(stderr.trimEnd().split('\n').length, 1, 'one line');
    t.ok(stderr.length < 10_000, `${stderr.length} characters`);
  }
});
