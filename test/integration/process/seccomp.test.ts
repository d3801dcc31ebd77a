/** linux.seccomp, seen by programs in the container that make the calls. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { LinuxSeccomp, LinuxSyscall } from '../../../src/generated/spec.ts';
import {
  addCHelper,
  type Bundle,
  cHelper,
  repoRoot,
  requires,
  runtimePath,
  type Sandbox,
  type Spec,
  sandbox,
  systemCalls,
  waitFor,
} from '../../harness/index.ts';

const skip = requires({ root: true, cHelpers: true });

/** For what no other runtime promises; each such test says what the others do instead. */
const ours = skip || requires({ runtime: 'tsrun' });

const allowAllBut = (...syscalls: LinuxSyscall[]): LinuxSeccomp => ({ defaultAction: 'SCMP_ACT_ALLOW', syscalls });

/** Makes calls with the helper `call`, one process each, under the profile; returns the kernel's results. */
async function returned(box: Sandbox, seccomp: LinuxSeccomp, calls: string[], edit?: (spec: Spec) => void) {
  const bundle = box.bundle((spec) => {
    spec.linux.seccomp = seccomp;
    spec.process.args = ['/bin/sh', '-c', calls.map((call) => `call ${call}`).join('; ')];
    edit?.(spec);
  });
  addCHelper(bundle, 'call');
  const { stdout } = await box.runtimeOk(['run', '--bundle', bundle.directory, box.newId()]);
  return stdout.trimEnd().split('\n').map(Number);
}

t.test('a refused call returns the errno of its entry', { skip }, async (t) => {
  const profile = allowAllBut(
    { names: ['getppid'], action: 'SCMP_ACT_ERRNO' },
    { names: ['getpid'], action: 'SCMP_ACT_ERRNO', errnoRet: 95 },
  );
  t.same(await returned(sandbox(t), profile, [`${systemCalls.getppid}`, `${systemCalls.getpid}`]), [-1, -95]);
});

t.test('a call that the profile does not name gets the default action', { skip }, async (t) => {
  const { syscalls = [], ...rest } = largeProfile();
  const profile = { ...rest, defaultErrnoRet: 13, syscalls: syscalls.map((entry) => omit(entry, 'getppid')) };
  t.same(await returned(sandbox(t), profile, [`${systemCalls.getppid}`]), [-13]);
});

// crun gives the default action.
t.test(
  'a call newer than all that the profile names gets ENOSYS',
  { skip: skip || requires({ runtime: ['tsrun', 'runc'] }) },
  async (t) => {
    t.same(await returned(sandbox(t), largeProfile(), ['2000', `${systemCalls.mkdirat} 0 0`]), [-38, -14]);
  },
);

t.test('arguments are compared', { skip }, async (t) => {
  const profile = allowAllBut({
    names: ['dup'],
    action: 'SCMP_ACT_ERRNO',
    errnoRet: 95,
    args: [{ index: 0, value: 0xf0, valueTwo: 0x10, op: 'SCMP_CMP_MASKED_EQ' }],
  });
  // The descriptors do not exist, so the result is EBADF if the filter allows the call.
  t.same(
    await returned(
      sandbox(t),
      profile,
      ['0x31f', '0x32f', '0xffffffff00000314'].map((fd) => `${systemCalls.dup} ${fd}`),
    ),
    [-95, -9, -95],
  );
});

t.test('SCMP_ACT_KILL_PROCESS and SCMP_ACT_TRAP end the program with SIGSYS', { skip }, async (t) => {
  for (const action of ['SCMP_ACT_KILL_PROCESS', 'SCMP_ACT_KILL', 'SCMP_ACT_TRAP'] as const) {
    const box = sandbox(t);
    const bundle = box.bundle((spec) => {
      spec.linux.seccomp = allowAllBut({ names: ['getppid'], action });
      spec.process.args = ['/bin/call', String(systemCalls.getppid)];
    });
    addCHelper(bundle, 'call');
    const { code, stdout } = await box.runtime(['run', '--bundle', bundle.directory, box.newId()]);
    t.equal(code, 128 + 31, action);
    t.equal(stdout, '');
  }
});

t.test('SCMP_ACT_LOG and SCMP_ACT_TRACE without a tracer: done, and ENOSYS', { skip }, async (t) => {
  const profile = allowAllBut(
    { names: ['dup'], action: 'SCMP_ACT_LOG' },
    { names: ['getppid'], action: 'SCMP_ACT_TRACE', errnoRet: 3 },
  );
  t.same(await returned(sandbox(t), profile, [`${systemCalls.dup} 99`, `${systemCalls.getppid}`]), [-9, -38]);
});

/** A kernel may have no 32-bit calls (ia32_emulation=off, or a host below a virtual machine that has none). */
function without32(): string | false {
  if (process.arch !== 'x64') return 'is about 32-bit calls of x86_64';
  return spawnSync(cHelper('call'), ['--i386', '20']).status === 0 ? false : 'needs a kernel with 32-bit calls';
}

const skip32 = skip || without32();

t.test('every architecture that is listed is filtered', { skip: skip32 }, async (t) => {
  const entry: LinuxSyscall = { names: ['getppid'], action: 'SCMP_ACT_ERRNO', errnoRet: 95 };
  const profile = { ...allowAllBut(entry), architectures: ['SCMP_ARCH_X86'] } satisfies LinuxSeccomp;
  const getppidOn32 = 64;
  t.same(await returned(sandbox(t), profile, [`--i386 ${getppidOn32}`, `${systemCalls.getppid}`]), [-95, -95]);
});

// runc and crun need capset after loading the filter; runc 1.1 hangs if the profile kills it.
t.test(
  'without no_new_privs the program has the filter, and the capabilities of its config',
  { skip: ours },
  async (t) => {
    for (const uid of [0, 1000]) {
      const output = await sandbox(t).outputOf(
        'grep -E "^(Cap(Prm|Eff|Bnd)|NoNewPrivs|Seccomp):" /proc/self/status',
        (spec) => {
          spec.process.noNewPrivileges = false;
          spec.process.user = { uid, gid: uid };
          spec.process.capabilities = { bounding: ['CAP_KILL'], effective: ['CAP_KILL'], permitted: ['CAP_KILL'] };
          // Forbids everything but execve between the load and the program's own calls.
          spec.linux.seccomp = allowAllBut({
            names: ['capset', 'capget', 'sendmsg', 'close_range'],
            action: 'SCMP_ACT_KILL',
          });
        },
      );
      const mask = uid === 0 ? '0000000000000020' : '0000000000000000';
      t.same(output.trimEnd().split('\n'), [
        `CapPrm:\t${mask}`,
        `CapEff:\t${mask}`,
        'CapBnd:\t0000000000000020',
        'NoNewPrivs:\t0',
        'Seccomp:\t2',
      ]);
    }
  },
);

// Seen in the plan, because this kernel may not show the mitigation.
t.test('flags: the mitigation is off without the list, and on with an empty one', { skip: ours }, async (t) => {
  const speculation = async (flags: LinuxSeccomp['flags']) => {
    const output = await sandbox(t).outputOf('grep ^Speculation_Store_Bypass /proc/self/status', (spec) => {
      spec.linux.seccomp = { ...allowAllBut(), ...(flags === undefined ? {} : { flags }) };
    });
    return output.split(':')[1]?.trim();
  };
  t.equal(await speculation(undefined), await speculation(['SECCOMP_FILTER_FLAG_SPEC_ALLOW']));
  const plan = async (flags: LinuxSeccomp['flags']) => {
    const box = sandbox(t);
    const bundle = box.bundle((spec) => {
      spec.linux.seccomp = { ...allowAllBut(), ...(flags === undefined ? {} : { flags }) };
    });
    const { stdout } = await box.runtimeOk(['plan', '--bundle', bundle.directory]);
    return /load-seccomp .*flags=(\S+)/.exec(stdout)?.[1];
  };
  t.equal(await plan(undefined), 'SECCOMP_FILTER_FLAG_SPEC_ALLOW');
  t.equal(await plan([]), undefined);
  t.equal(
    await plan(['SECCOMP_FILTER_FLAG_TSYNC', 'SECCOMP_FILTER_FLAG_LOG']),
    'SECCOMP_FILTER_FLAG_TSYNC,SECCOMP_FILTER_FLAG_LOG',
  );
});

// runc does not know TSYNC, and Debian's releases do not know WAIT_KILLABLE_RECV.
t.test('the kernel accepts each flag', { skip: ours }, async (t) => {
  for (const flag of ['TSYNC', 'LOG', 'SPEC_ALLOW', 'WAIT_KILLABLE_RECV'] as const) {
    const profile = allowAllBut({ names: ['getppid'], action: 'SCMP_ACT_ERRNO' });
    const flags = [`SECCOMP_FILTER_FLAG_${flag}`] as NonNullable<LinuxSeccomp['flags']>;
    t.same(await returned(sandbox(t), { ...profile, flags }, [`${systemCalls.getppid}`]), [-1], flag);
  }
});

/** Whether the filter or the program ended init is visible only until somebody reaps it, and pid 1 may be quick. */
async function createUnreaped(box: Sandbox, bundle: Bundle): Promise<string> {
  const id = box.newId();
  const create = [runtimePath, '--root', box.root, 'create', '--bundle', bundle.directory, id];
  const { output } = box.startProgram(cHelper('keep-dead'), create);
  await waitFor('the container', () => output.stdout.includes('ready') || undefined);
  return id;
}

// runc's and crun's start exits with 0.
t.test('a profile that forbids execve is an error of start, however it forbids it', { skip: ours }, async (t) => {
  const words = {
    SCMP_ACT_ERRNO: /exec \\"\/bin\/true\\": EPERM/,
    SCMP_ACT_KILL_PROCESS: /init was killed by signal 31 in execve/,
  };
  for (const [action, expected] of Object.entries(words)) {
    for (const others of [[], ['sendmsg'], ['sendmsg', 'exit_group']]) {
      const box = sandbox(t);
      const bundle = box.bundle((spec) => {
        const names = ['execve', ...others];
        spec.process.args = ['/bin/true'];
        spec.linux.seccomp = allowAllBut({ names, action: action as LinuxSyscall['action'] });
      });
      const id = await createUnreaped(box, bundle);
      const { code, stderr } = await box.runtime(['start', id]);
      t.equal(code, 1, `${action} of ${others}`);
      t.match(stderr, others.includes('exit_group') ? /EPERM|in execve/ : expected);
      await box.waitForState(id, 'stopped');
    }
  }
});

// runc and crun load the filter in create, and are killed by it.
t.test('a missing program is still told apart from one that the profile forbids', { skip: ours }, async (t) => {
  const { code, stderr } = await sandbox(t).runContainer(['/bin/no-such-program'], (spec) => {
    spec.linux.seccomp = { defaultAction: 'SCMP_ACT_KILL', syscalls: [] };
  });
  t.equal(code, 1);
  t.match(stderr, /no such file or directory/);
});

t.test('startContainer hooks, programs of the image as well, run with the filter', { skip }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle((spec) => {
    spec.process.args = ['/bin/sh', '-c', 'grep ^Seccomp: /hook /proc/self/status'];
    spec.hooks = { startContainer: [{ path: '/bin/sh', args: ['sh', '-c', 'cat /proc/self/status > /hook'] }] };
    spec.linux.seccomp = allowAllBut();
  });
  const { stdout } = await box.runtimeOk(['run', '--bundle', bundle.directory, box.newId()]);
  t.match(stdout, /^\/hook:Seccomp:\t2$/m);
  t.match(stdout, /^\/proc\/self\/status:Seccomp:\t2$/m);
});

// runc keeps none, and crun elsewhere.
t.test('the compiled filter is kept for its owner only, and is no container', { skip: ours }, async (t) => {
  const box = sandbox(t);
  const profile = allowAllBut({ names: ['getppid'], action: 'SCMP_ACT_ERRNO' });
  const call = () => returned(box, profile, [`${systemCalls.getppid}`]);
  t.same(await call(), [-1]);
  const directory = join(box.root, '.seccomp~');
  const [name = ''] = readdirSync(directory);
  const file = join(directory, name);
  t.equal(statSync(directory).mode & 0o777, 0o700);
  t.equal(statSync(file).mode & 0o777, 0o600);
  t.equal((await box.runtimeOk(['list', '--quiet'])).stdout, '');

  const { ino } = statSync(file);
  t.same(await call(), [-1]);
  t.equal(statSync(file).ino, ino, 'used, not made again');

  const good = readFileSync(file);
  writeFileSync(file, Buffer.alloc(good.length, 0x2a));
  t.same(await call(), [-1], 'a damaged one is not used');
  t.same(readFileSync(file), good, 'and made again');
  t.same(readdirSync(directory), [name]);
});

t.test('a process that exec starts has the filter, too', { skip }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle((spec) => {
    spec.linux.seccomp = allowAllBut({ names: ['getppid'], action: 'SCMP_ACT_ERRNO', errnoRet: 95 });
    spec.process.args = ['/bin/sleep', '1000'];
  });
  addCHelper(bundle, 'call');
  const id = await box.createAndStart(bundle);
  t.equal((await box.runtimeOk(['exec', id, '/bin/call', String(systemCalls.getppid)])).stdout, '-95\n');
  // A program that ran and ended is not taken for one that was never reached.
  for (let i = 0; i < 20; i++) t.equal((await box.runtime(['exec', id, '/bin/true'])).code, 0);
});

// The words are our own.
t.test('what cannot be compiled is an error of create and leaves nothing', { skip: ours }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle((spec) => {
    spec.linux.seccomp = { ...allowAllBut(), architectures: ['SCMP_ARCH_S390X'] };
  });
  const { code, stderr } = await box.runtime(['create', '--bundle', bundle.directory, box.newId()]);
  t.equal(code, 1);
  t.match(stderr, /\/linux\/seccomp\/architectures\/0: SCMP_ARCH_S390X has the other byte order/);
  t.equal((await box.runtimeOk(['list', '--quiet'])).stdout, '');
});

function largeProfile(): LinuxSeccomp {
  return JSON.parse(readFileSync(join(repoRoot, 'test/fixtures/seccomp-profile.json'), 'utf8'));
}

function omit(entry: LinuxSyscall, name: string): LinuxSyscall {
  return { ...entry, names: entry.names.filter((other) => other !== name) };
}
