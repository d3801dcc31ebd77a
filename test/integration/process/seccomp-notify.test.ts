/** SCMP_ACT_NOTIFY: the listener reaches the agent, whatever else the profile asks it about. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { LinuxSeccomp } from '../../../src/generated/spec.ts';
import {
  addCHelper,
  cHelper,
  requires,
  runtimePath,
  type Sandbox,
  sandbox,
  start,
  systemCalls,
  waitFor,
} from '../../harness/index.ts';

const skip = requires({ root: true, cHelpers: true });

/** For what no other runtime promises; each such test says what the others do instead. */
const ours = skip || requires({ runtime: 'tsrun' });

const { getppid } = systemCalls;

/** Starts the agent; `socket` is its path. */
async function agent(box: Sandbox, answer: string, name = 'agent.sock') {
  const socket = join(box.directory, name);
  rmSync(socket, { force: true });
  const running = start(cHelper('seccomp-agent'), [socket, answer]);
  await waitFor('the agent to listen', () => (running.output.stdout.startsWith('listening') ? true : undefined));
  const lines = () => running.output.stdout.trimEnd().split('\n').slice(1);
  return {
    ...running,
    socket,
    state: () => JSON.parse(lines()[0] ?? 'null'),
    asked: () => lines().slice(1).map(Number),
  };
}

/** A container that makes one call and prints the result. */
function caller(box: Sandbox, seccomp: LinuxSeccomp) {
  const bundle = box.bundle((spec) => {
    spec.linux.seccomp = seccomp;
    spec.process.args = ['/bin/call', String(getppid)];
    spec.annotations = { 'com.example.key': 'value' };
  });
  addCHelper(bundle, 'call');
  return bundle;
}

const notify = (listenerPath: string, ...names: string[]): LinuxSeccomp => ({
  defaultAction: 'SCMP_ACT_ALLOW',
  listenerPath,
  syscalls: [{ names, action: 'SCMP_ACT_NOTIFY' }],
});

// runc and crun load the filter in create, while the status is creating.
t.test('the agent answers, and is told which container asks', { skip: ours }, async (t) => {
  const box = sandbox(t);
  const { socket, state, asked, done } = await agent(box, '95');
  const bundle = caller(box, { ...notify(socket, 'getppid'), listenerMetadata: 'opaque {"data"}' });
  const id = await box.create(bundle);
  const { pid } = await box.state(id);
  await box.runtimeOk(['start', id]);
  await done;
  t.same(asked(), [getppid]);
  t.same(state(), {
    ociVersion: bundle.spec.ociVersion,
    fds: ['seccompFd'],
    pid,
    metadata: 'opaque {"data"}',
    state: {
      ociVersion: bundle.spec.ociVersion,
      id,
      status: 'created',
      pid,
      bundle: bundle.directory,
      annotations: { 'com.example.key': 'value' },
    },
  });
  t.equal(box.outputOfCreated(id).stdout, '-95\n');
});

// runc refuses NOTIFY for write, and crun for sendmsg.
t.test('nothing that init does after the load has to be allowed', { skip: ours }, async (t) => {
  for (const names of [
    ['write', 'sendmsg', 'read', 'close', 'futex', 'exit', 'wait4', 'nanosleep', 'sched_yield', 'rt_sigreturn'],
    ['execve', 'exit_group'],
  ]) {
    const box = sandbox(t);
    const { socket, asked, done } = await agent(box, 'continue');
    const bundle = caller(box, notify(socket, ...names));
    await box.runtimeOk(['run', '--bundle', bundle.directory, box.newId()]);
    await done;
    const isExec = names.includes('execve');
    t.equal(asked().includes(systemCalls.execve), isExec, 'execve');
    t.notOk(
      asked().includes(systemCalls.sendmsg) || asked().includes(systemCalls.wait4),
      'no sendmsg or wait4 of ours',
    );
  }
});

// runc and crun refuse it.
t.test('SCMP_ACT_NOTIFY as the default asks about every call of the program', { skip: ours }, async (t) => {
  const box = sandbox(t);
  const { socket, asked, done } = await agent(box, 'continue');
  const bundle = caller(box, { defaultAction: 'SCMP_ACT_NOTIFY', listenerPath: socket });
  const { stdout } = await box.runtimeOk(['run', '--bundle', bundle.directory, box.newId()]);
  await done;
  t.equal(asked()[0], systemCalls.execve, 'execve first');
  t.equal(asked().at(-1), systemCalls.exit_group, 'exit_group last');
  t.equal(stdout, '0\n', 'getppid of process 1');
});

t.test(
  'the filter asks nothing of init’s own, however late init comes to wait',
  { skip: ours || requires({ commands: ['strace'] }) },
  async (t) => {
    const box = sandbox(t);
    const { socket, asked, done } = await agent(box, 'continue');
    const bundle = caller(box, { defaultAction: 'SCMP_ACT_NOTIFY', listenerPath: socket });
    const run = [runtimePath, '--root', box.root, 'run', '--bundle', bundle.directory, box.newId()];
    // Init is delayed after each task that it makes, and the tasks are not.
    const late = 'inject=clone3:delay_exit=300000';
    const options = ['-f', '-o', join(box.directory, 'log'), '-e', 'trace=clone3', '-e', late];
    t.equal((await box.startProgram('strace', [...options, ...run]).done).code, 0);
    await done;
    t.equal(asked()[0], systemCalls.execve, 'execve first');
  },
);

t.test('the program finds no other task, child or descriptor of ours', { skip }, async (t) => {
  const box = sandbox(t);
  const { socket, done } = await agent(box, 'continue');
  const output = await box.outputOf(
    // Without a pipe, because ls might or might not see the process at its other end.
    'ls /proc >/list; grep -c "^[0-9]" /list; ls /proc/1/task | wc -l; ls -l /proc/1/fd',
    (spec) => {
      spec.linux.seccomp = notify(socket, 'mkdir');
    },
  );
  await done;
  const [processes, threads, , ...descriptors] = output.trimEnd().split('\n');
  // The shell and ls.
  t.equal(processes, '2');
  t.equal(threads, '1');
  t.same(
    descriptors.map((line) => / (\d+) -> /.exec(line)?.[1]).filter((fd) => Number(fd) > 2),
    [],
  );
});

// Debian's releases know neither all flags nor the scheduler.
t.test('without no_new_privs, with all flags and a real-time policy it works as well', { skip: ours }, async (t) => {
  const box = sandbox(t);
  const { socket, asked, done } = await agent(box, '95');
  const flags = ['TSYNC', 'LOG', 'SPEC_ALLOW', 'WAIT_KILLABLE_RECV'].map((name) => `SECCOMP_FILTER_FLAG_${name}`);
  const profile = { ...notify(socket, 'getppid'), flags: flags as NonNullable<LinuxSeccomp['flags']> };
  const bundle = caller(box, profile).edit((spec) => {
    spec.process.noNewPrivileges = false;
    spec.process.user = { uid: 1000, gid: 1000 };
    spec.process.scheduler = { policy: 'SCHED_FIFO', priority: 1 };
  });
  const { stdout } = await box.runtimeOk(['run', '--bundle', bundle.directory, box.newId()]);
  await done;
  t.equal(stdout, '-95\n');
  t.same(asked(), [getppid]);
});

// With runc and crun it is an error of create.
t.test('a missing agent is an error of start, and the program never runs', { skip: ours }, async (t) => {
  const box = sandbox(t);
  const bundle = caller(box, notify(join(box.directory, 'nobody.sock'), 'getppid', 'exit_group', 'sendmsg'));
  const id = await box.create(bundle);
  const { code, stderr } = await box.runtime(['start', id]);
  t.equal(code, 1);
  t.match(stderr, /config\.json:\d+:\d+: \/linux\/seccomp\/listenerPath: cannot connect to .*nobody\.sock: ENOENT/);
  await box.waitForState(id, 'stopped');
  t.equal(box.outputOfCreated(id).stdout, '');
});

t.test('a process that exec starts has a listener of its own', { skip }, async (t) => {
  const box = sandbox(t);
  const first = await agent(box, '95', 'first.sock');
  const bundle = caller(box, notify(first.socket, 'getppid')).edit((spec) => {
    spec.process.args = ['/bin/sleep', '1000'];
  });
  const id = await box.createAndStart(bundle);
  await waitFor('the first state', () => (first.state()?.pid ? true : undefined));
  first.child.kill();
  await first.done;
  const second = await agent(box, '94', 'first.sock');
  const { stdout } = await box.runtimeOk(['exec', id, '/bin/call', String(getppid)]);
  t.equal(stdout, '-94\n');
  await second.done;
  t.same(second.asked(), [getppid]);
  t.equal(second.state().state.status, 'running');
  t.not(second.state().pid, second.state().state.pid);
});
