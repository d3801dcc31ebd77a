/** A failure half-way loses nothing: no exit code, container, thaw or error. */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { cHelper } from '../../harness/c-helper.ts';
import { runWithFault } from '../../harness/faults.ts';
import {
  isAlive,
  repoRoot,
  requires,
  run,
  runsOnNode,
  runtimePath,
  type Sandbox,
  sandbox,
  waitFor,
} from '../../harness/index.ts';

const needs = { root: true, runtime: 'tsrun', cgroup2: true };
const skip = requires({ ...needs, commands: ['strace'] });
const skipHelpers = requires({ ...needs, cHelpers: true });

/** Starts a container; returns its id and cgroup. */
async function running(box: Sandbox, script = 'trap "" USR1; while :; do sleep 1000; done') {
  const bundle = box.bundle((spec) => {
    spec.process.args = ['/bin/sh', '-c', script];
  });
  const id = await box.createAndStart(bundle);
  return { id, cgroup: box.cgroupOf(bundle) };
}

function withHook(box: Sandbox, hook: { path: string; args: string[]; timeout?: number }) {
  const bundle = box.bundle((spec) => {
    spec.hooks = { createRuntime: [hook] };
  });
  return ['create', '--bundle', bundle.directory, box.newId()];
}

/** The calls with which create waits for its hook: it opens the hook's pidfd, after other pidfds, and polls that. */
async function waitForHook(t: Test): Promise<{ pidfdOpen: string; poll: string }> {
  const box = sandbox(t);
  const log = join(box.directory, 'calls');
  const args = withHook(box, { path: '/bin/true', args: ['true'] });
  const command = ['-qq', '-o', log, '-e', 'trace=poll,ppoll,pidfd_open', runtimePath, '--root', box.root, ...args];
  await run('strace', command, { outputFiles: join(box.directory, 'output') });
  const calls: readonly string[] = readFileSync(log, 'utf8').match(/^(p?poll|pidfd_open)\(/gm) ?? [];
  const opened = calls.lastIndexOf('pidfd_open(');
  const before = calls.slice(0, opened);
  const isOpen = (call: string) => call === 'pidfd_open(';
  return {
    pidfdOpen: String(before.filter(isOpen).length + 1),
    poll: String(before.filter((call) => !isOpen(call)).length + 1),
  };
}

t.test('a hook that cannot be waited for is an error, and not waited for', { skip }, async (t) => {
  const { pidfdOpen, poll } = await waitForHook(t);
  const faults = [
    { call: 'pidfd_open', error: 'ENOMEM', when: pidfdOpen },
    { call: '/^p?poll$', error: 'ENOMEM', when: poll },
  ];
  for (const timeout of [undefined, 100]) {
    for (const fault of faults) {
      const box = sandbox(t);
      const args = withHook(box, { path: '/bin/sleep', args: ['sleep', '1000'], ...(timeout && { timeout }) });
      const { code, stderr } = await runWithFault(box, fault, args);
      t.equal(code, 1);
      t.match(
        stderr,
        /level=error msg="error running createRuntime hook #0: \/bin\/sleep: ENOMEM: [^\n]*(pidfd_open|poll) /,
      );
      t.same(readdirSync(box.root), []);
    }
  }
});

t.test('kill --all leaves no container frozen, wherever it is killed', { skip }, async (t) => {
  const box = sandbox(t);
  const { id, cgroup } = await running(box);
  const thawed = () => /^frozen 0$/m.test(readFileSync(join(cgroup, 'cgroup.events'), 'utf8'));
  const args = ['kill', '--all', id, 'USR1'];
  let killed = 0;
  for (const call of ['write', 'openat', 'read', 'pidfd_open', 'pidfd_send_signal', 'close']) {
    for (let nth = 1; ; nth++) {
      const result = await runWithFault(box, { call, error: 'signal=KILL', when: String(nth) }, args);
      if (result.signal === null) {
        t.equal(result.code, 0, result.stderr);
        break;
      }
      killed += 1;
      await waitFor('the container to go on', () => (thawed() ? true : undefined));
      t.equal((await box.state(id)).status, 'running', `killed at ${call} ${nth}`);
    }
  }
  t.ok(killed > 10, `killed ${killed} times`);
});

t.test('kill --all leaves no container frozen after an error of the thaw itself', { skip }, async (t) => {
  const box = sandbox(t);
  const { id, cgroup } = await running(box);
  const fault = { call: 'openat', path: join(cgroup, 'cgroup.freeze'), error: 'EIO', when: '3+' };
  t.match(await runWithFault(box, fault, ['kill', '--all', id, 'USR1']), { code: 0, stderr: '' });
  t.match(readFileSync(join(box.directory, 'strace-kill'), 'utf8'), /cgroup.freeze.*EIO.*INJECTED/);
  t.equal((await box.state(id)).status, 'running');
});

t.test('delete --force does not wait for a zombie of exec', { skip: skipHelpers }, async (t) => {
  const box = sandbox(t);
  const { id, cgroup } = await running(box);
  const { pid } = await box.state(id);
  const exec = ['exec', '--detach', id, '/bin/sleep', '1000'];
  const parent = box.startProgram(cHelper('keep-dead'), [runtimePath, '--root', box.root, ...exec], {
    outputFiles: join(box.directory, 'parent'),
  });
  const said = join(box.directory, 'parent.out');
  await waitFor('exec', () => (readFileSync(said, 'utf8').includes('ready') ? true : undefined));
  const waits = join(box.directory, 'waits');
  const command = [runtimePath, '--root', box.root, 'delete', '--force', id];
  const { code, stderr } = await run('strace', ['-o', waits, '-e', 'trace=poll,ppoll', ...command]);
  t.match({ code, stderr }, { code: 0, stderr: '' });
  // A wait of ten seconds would be such a call that ends with its timeout.
  t.notMatch(readFileSync(waits, 'utf8'), /, \d{4,}\) += 0 \(Timeout\)|tv_sec=[1-9].* = 0 \(Timeout\)/);
  t.notOk(existsSync(cgroup));
  t.ok(isAlive(pid), 'the kernel keeps init until the zombie has been reaped');
  parent.child.kill('SIGKILL');
  await waitFor('init to be gone', () => (isAlive(pid) ? undefined : true));
});

t.test('run keeps the program’s exit code if the container cannot be removed', { skip }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle((spec) => {
    spec.process.args = ['/bin/sh', '-c', 'exit 7'];
  });
  const id = box.newId();
  const fault = { call: '/^(rmdir|unlinkat)$', path: box.cgroupOf(bundle), error: 'EIO' };
  const { code, stderr } = await runWithFault(box, fault, ['run', '--bundle', bundle.directory, id]);
  t.equal(code, 7);
  t.match(stderr, /^time="[^"]+" level=error msg="cannot remove the cgroup [^\n]*EIO[^\n]*\n$/);
  t.equal((await box.state(id)).status, 'stopped');
  await box.runtimeOk(['delete', id]);
});

t.test(
  'init and its plan are whole or an error',
  { skip: requires({ ...needs, commands: ['prlimit'] }) },
  async (t) => {
    const box = sandbox(t);
    const bundle = box.bundle((spec) => {
      spec.process.args = ['/bin/true'];
      spec.process.rlimits = [];
    });
    for (const limit of [1000, 20_000, 45_000]) {
      const command = [runtimePath, '--root', box.root, 'run', '--bundle', bundle.directory, box.newId()];
      const { code, stderr } = await run('prlimit', [`--fsize=${limit}`, ...command]);
      t.equal(code, 1, String(limit));
      t.match(stderr, /^[^\n]*EFBIG[^\n]*\n$/, String(limit));
      t.same(readdirSync(box.root), []);
    }
  },
);

t.test('a start that cannot take the socket’s name leaves the container created', { skip }, async (t) => {
  const box = sandbox(t);
  const id = await box.create(box.bundle());
  const socket = join(box.root, id, 'exec.sock');
  for (const error of ['EROFS', 'EIO', 'ENOMEM']) {
    const { code, stderr } = await runWithFault(box, { call: '/^unlink(at)?$', path: socket, error }, ['start', id]);
    t.equal(code, 1);
    t.match(stderr, new RegExp(`cannot remove ${socket}: ${error} \\(hint: `));
    t.equal((await box.state(id)).status, 'created');
  }
  await box.runtimeOk(['start', id]);
});

for (const action of ['SCMP_ACT_KILL_PROCESS', 'SCMP_ACT_KILL_THREAD', 'SCMP_ACT_TRAP', 'SCMP_ACT_ERRNO'] as const) {
  t.test(`start says that ${action} forbids execve if init is reaped at once`, { skip: skipHelpers }, async (t) => {
    const box = sandbox(t);
    const bundle = box.bundle((spec) => {
      const names = action === 'SCMP_ACT_ERRNO' ? ['execve', 'sendmsg'] : ['execve'];
      spec.linux.seccomp = { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names, action }] };
    });
    const id = box.newId();
    const codes = join(box.directory, 'codes');
    const command = `${runtimePath} --root ${box.root}`;
    const script = `${command} create --bundle ${bundle.directory} ${id} && ${command} start ${id}; echo $? >${codes}`;
    const options = { outputFiles: join(box.directory, 'script') };
    const { stderr } = await run(cHelper('reap-at-once'), ['/bin/sh', '-c', script], options);
    t.equal(readFileSync(codes, 'utf8'), '1\n');
    t.match(stderr, /execve|exec /);
  });
}

t.test('a program that ends and is reaped at once has been started', { skip: skipHelpers }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle((spec) => {
    spec.process.args = ['/bin/true'];
    spec.linux.seccomp = {
      defaultAction: 'SCMP_ACT_ALLOW',
      syscalls: [{ names: ['acct'], action: 'SCMP_ACT_KILL_PROCESS' }],
    };
  });
  const command = `${runtimePath} --root ${box.root}`;
  const codes = join(box.directory, 'codes');
  writeFileSync(codes, '');
  const id = box.newId();
  const script = `${command} create --bundle ${bundle.directory} ${id} && ${command} start ${id}; echo $? >${codes}`;
  await run(cHelper('reap-at-once'), ['/bin/sh', '-c', script], { outputFiles: join(box.directory, 'script') });
  t.equal(readFileSync(codes, 'utf8'), '0\n');
});

t.test('an init that the runtime cannot speak with is ended, not waited for', { skip }, async (t) => {
  const faults = [
    { call: 'recvmsg', error: 'ECONNRESET', when: '1' },
    { call: 'sendmsg', error: 'EPIPE', when: '1' },
    { call: 'sendmsg', error: 'EPIPE', when: '2' },
  ];
  for (const fault of faults) {
    const box = sandbox(t);
    const args = ['create', '--bundle', box.bundle().directory, box.newId()];
    const options = { outputFiles: join(box.directory, 'output') };
    const { code, stderr } = await runWithFault(box, fault, args, options);
    t.equal(code, 1, JSON.stringify(fault));
    t.match(stderr, /level=error msg="the container's init [^\n]*while it was being set up/);
    t.same(readdirSync(box.root), []);
  }
});

t.test('an init of exec that cannot be asked whose child it is, is an error of the system', { skip }, async (t) => {
  const box = sandbox(t);
  // One process from the start, so that it can be compared.
  const { id, cgroup } = await running(box, 'exec sleep 1000');
  const before = readFileSync(join(cgroup, 'cgroup.procs'), 'utf8');
  const { code, stderr } = await runWithFault(box, { call: 'waitid', error: 'EPERM', when: '1' }, ['exec', id, 'true']);
  t.equal(code, 255);
  t.match(stderr, /level=error msg="exec failed: EPERM: [^\n]*waitid/);
  const isAsBefore = () => readFileSync(join(cgroup, 'cgroup.procs'), 'utf8') === before;
  await waitFor('init to end', () => (isAsBefore() ? true : undefined));
});

t.test('no error of close(2) undoes half of a command', { skip }, async (t) => {
  const box = sandbox(t);
  // Files, because a container that waits must not hold a pipe of this test.
  const options = { outputFiles: join(box.directory, 'output') };
  const log = join(box.directory, 'closes');
  const create = [runtimePath, '--root', box.root, 'create', '--bundle', box.bundle().directory, box.newId()];
  await run('strace', ['-qq', '-o', log, '-e', 'trace=close', ...create], options);
  const calls = readFileSync(log, 'utf8').match(/^close\(/gm) ?? [];
  t.ok(calls.length > 10, `${calls.length} calls`);
  // The last calls: the descriptors that they close were only held.
  for (const nth of [calls.length - 1, calls.length]) {
    const id = box.newId();
    const args = ['create', '--bundle', box.bundle().directory, id];
    const fault = { call: 'close', error: 'EIO', when: String(nth) };
    t.match(await runWithFault(box, fault, args, options), { code: 0, stderr: '' }, String(nth));
    t.equal((await box.state(id)).status, 'created');
  }
});

t.test('a failed create leaves no empty directory', { skip }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle().directory;
  const id = box.newId();
  const faults = [
    { call: 'flock', error: 'ENOLCK' },
    { call: 'openat', path: join(box.root, id), error: 'EIO' },
  ];
  for (const fault of faults) {
    const { code, stderr } = await runWithFault(box, fault, ['create', '--bundle', bundle, id]);
    t.equal(code, 1);
    t.match(stderr, new RegExp(`level=error msg="[^\\n]*${fault.error}[^\\n]*hint`));
    t.notMatch(stderr, 'internal error');
    t.same(readdirSync(box.root), []);
  }
});

t.test('a path that init cannot look at is an error', { skip }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle((spec) => {
    spec.process.env = ['PATH=/bin'];
    spec.process.args = ['/bin/true'];
  });
  bundle.addFile('etc/passwd', 'root:x:0:0::/root:/bin/sh\n');
  const cases = [{ call: 'openat2', path: '/etc/passwd', words: /EIO/ }];
  for (const { call, path, words } of cases) {
    const log = join(box.directory, 'calls');
    const arguments_ = ['--root', box.root, 'run', '--bundle', bundle.directory, box.newId()];
    await run('strace', ['-f', '-qq', '-o', log, '-e', `trace=${call}`, runtimePath, ...arguments_]);
    const made = readFileSync(log, 'utf8')
      .split('\n')
      .filter((line) => line.includes(`${call}(`));
    const nth = made.findIndex((line) => line.includes(`"${path}"`) || line.includes(`"${path.slice(1)}"`)) + 1;
    t.ok(nth > 0, path);
    const fault = { call, error: 'EIO', when: String(nth) };
    const result = await runWithFault(box, fault, ['run', '--bundle', bundle.directory, box.newId()], { follow: true });
    t.equal(result.code, 1, path);
    t.match(result.stderr, words, path);
    t.notMatch(result.stderr, 'internal error');
    t.same(readdirSync(box.root), []);
  }
});

t.test(
  'an addon that cannot be loaded is reported',
  { skip: skip || (!runsOnNode && 'is about the form on Node') },
  async (t) => {
    const box = sandbox(t);
    const path = join(repoRoot, 'build/Release/tsrun.node');
    const fault = { call: '/^(openat|newfstatat|statx)$', path, error: 'EACCES' };
    const { code, stderr } = await runWithFault(box, fault, [
      'create',
      '--bundle',
      box.bundle().directory,
      box.newId(),
    ]);
    t.equal(code, 1);
    t.match(stderr, /level=error msg="cannot load the addon: [^\n]*tsrun.node[^\n]*hint/);
  },
);

t.test(
  'a startContainer hook fails, and the text for its place cannot be read',
  { skip: requires({ root: true, runtime: 'tsrun' }) },
  async (t) => {
    for (const kind of ['startContainer', 'poststart'] as const) {
      const box = sandbox(t);
      const bundle = box.bundle((spec) => {
        spec.hooks = { [kind]: [{ path: '/bin/false' }] };
      });
      const id = await box.create(bundle);
      rmSync(join(box.root, id, 'config.json'));
      const { code, stderr } = await box.runtime(['start', id]);
      t.equal(code, 1);
      t.match(stderr, `error running ${kind} hook #0`);
      t.same(readdirSync(box.root), [], 'the container is gone');
    }
  },
);
