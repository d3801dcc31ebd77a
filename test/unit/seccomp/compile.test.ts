/** Profiles are compiled with the real libseccomp, and the programs run in a BPF interpreter. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { LinuxSeccomp, LinuxSeccompArg, SeccompAction } from '../../../src/generated/spec.ts';
import { actions, operators } from '../../../src/linux/seccomp.ts';
import { compileFilter } from '../../../src/seccomp/compile.ts';
import { repoRoot, requires } from '../../harness/index.ts';
import { evaluate } from './bpf.ts';

const x86_64 = 0xc000003e;
const i386 = 0x40000003;
const skip = process.arch !== 'x64' ? 'the numbers are of x86_64' : requires({ files: ['build/Release/tsrun.node'] });

/** Numbers on x86_64. */
const calls = { read: 0, write: 1, ioctl: 16, getpid: 39, socket: 41, clone: 56, mkdir: 83, openat2: 437 };
type Name = keyof typeof calls;

const allow = actions.SCMP_ACT_ALLOW.value;
const errno = (number: number) => actions.SCMP_ACT_ERRNO.value | number;

function compiled(profile: LinuxSeccomp) {
  const { program } = compileFilter(profile);
  return (name: Name, ...values: bigint[]) =>
    evaluate(program, { number: calls[name], architecture: x86_64, arguments: values });
}

/** Whether a call of ioctl with given arguments meets these conditions. */
function matcher(...args: LinuxSeccompArg[]) {
  const answer = compiled({
    defaultAction: 'SCMP_ACT_ALLOW',
    syscalls: [{ names: ['ioctl'], action: 'SCMP_ACT_ERRNO', args }],
  });
  return (...values: bigint[]) => answer('ioctl', ...values) === errno(1);
}

t.test('each action is what the filter returns', { skip }, async (t) => {
  for (const action of Object.keys(actions) as SeccompAction[]) {
    const other = action === 'SCMP_ACT_ALLOW' ? 'SCMP_ACT_LOG' : 'SCMP_ACT_ALLOW';
    const answer = compiled({ defaultAction: other, syscalls: [{ names: ['mkdir'], action }] });
    const { value, takesErrno } = actions[action];
    t.equal(answer('mkdir'), takesErrno ? value | 1 : value, action);
    t.equal(answer('read'), actions[other].value);
  }
});

t.test('errnoRet and defaultErrnoRet are returned; EPERM without them', { skip }, async (t) => {
  const answer = compiled({
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: 13,
    syscalls: [
      { names: ['mkdir'], action: 'SCMP_ACT_ERRNO', errnoRet: 95 },
      { names: ['socket'], action: 'SCMP_ACT_TRACE', errnoRet: 7 },
      { names: ['write'], action: 'SCMP_ACT_ERRNO' },
    ],
  });
  t.equal(answer('mkdir'), errno(95));
  t.equal(answer('socket'), actions.SCMP_ACT_TRACE.value | 7);
  t.equal(answer('write'), errno(1));
  t.equal(answer('read'), errno(13));
});

t.test('an entry with the default action is no error', { skip }, async (t) => {
  const answer = compiled({
    defaultAction: 'SCMP_ACT_ALLOW',
    syscalls: [{ names: ['read'], action: 'SCMP_ACT_ALLOW' }],
  });
  t.equal(answer('read'), allow);
});

t.test('operators compare 64 bits without a sign', { skip }, async (t) => {
  const large = 2n ** 63n;
  const cases = {
    SCMP_CMP_NE: { yes: [4n, large], no: [5n] },
    SCMP_CMP_LT: { yes: [4n], no: [5n, large, 2n ** 32n] },
    SCMP_CMP_LE: { yes: [4n, 5n], no: [6n, 2n ** 32n] },
    SCMP_CMP_EQ: { yes: [5n], no: [4n, 2n ** 32n + 5n] },
    SCMP_CMP_GE: { yes: [5n, large], no: [4n] },
    SCMP_CMP_GT: { yes: [6n, large], no: [5n] },
    SCMP_CMP_MASKED_EQ: { yes: [5n, 0xf5n], no: [4n, 0x7n] },
  };
  t.same(Object.keys(cases), Object.keys(operators));
  for (const [op, { yes, no }] of Object.entries(cases)) {
    const isMask = op === 'SCMP_CMP_MASKED_EQ';
    const arg = { index: 1, value: isMask ? 0xf : 5, valueTwo: 5, op } as LinuxSeccompArg;
    const matches = matcher(arg);
    for (const value of yes) t.ok(matches(0n, value), `${op} ${value}`);
    for (const value of no) t.notOk(matches(0n, value), `not ${op} ${value}`);
  }
});

t.test('conditions on different arguments must all hold', { skip }, async (t) => {
  const matches = matcher({ index: 0, value: 1, op: 'SCMP_CMP_EQ' }, { index: 2, value: 9, op: 'SCMP_CMP_GT' });
  t.ok(matches(1n, 0n, 10n));
  t.notOk(matches(1n, 0n, 9n));
  t.notOk(matches(2n, 0n, 10n));
});

t.test('of two conditions on one argument any suffices, and of the others in the entry too', { skip }, async (t) => {
  const matches = matcher(
    { index: 1, value: 3, op: 'SCMP_CMP_EQ' },
    { index: 1, value: 4, op: 'SCMP_CMP_EQ' },
    { index: 0, value: 7, op: 'SCMP_CMP_EQ' },
  );
  t.ok(matches(0n, 3n));
  t.ok(matches(0n, 4n));
  t.ok(matches(7n, 0n));
  t.notOk(matches(0n, 5n));
});

t.test('the largest uint64, which JSON.parse reads as 2^64, is compared exactly', { skip }, async (t) => {
  const matches = matcher({ index: 0, value: 2 ** 64, op: 'SCMP_CMP_EQ' });
  t.ok(matches(2n ** 64n - 1n));
  t.notOk(matches(0n));
});

t.test('an entry given again changes nothing', { skip }, async (t) => {
  const profile = (...errnos: number[]): LinuxSeccomp => {
    const syscalls = errnos.map((errnoRet) => ({ names: ['mkdir'], action: 'SCMP_ACT_ERRNO' as const, errnoRet }));
    return { defaultAction: 'SCMP_ACT_ALLOW', syscalls };
  };
  t.same(compileFilter(profile(1, 1, 1)).program, compileFilter(profile(1)).program);
  t.same(compileFilter(profile(2, 1, 2)).program, compileFilter(profile(2)).program, 'the first counts');
});

t.test('unknown names are left out and reported', { skip }, async (t) => {
  const { unknown } = compileFilter({
    defaultAction: 'SCMP_ACT_ALLOW',
    syscalls: [{ names: ['mkdir', 'no_such_call', '_llseek'], action: 'SCMP_ACT_ERRNO' }],
  });
  t.same(unknown, ['no_such_call'], '_llseek is a call of i386');
});

t.test('calls newer than the profile get ENOSYS where the default refuses', { skip }, async (t) => {
  const syscalls = [{ names: ['read', 'clone'], action: 'SCMP_ACT_ALLOW' }] satisfies LinuxSeccomp['syscalls'];
  const kills = compiled({ defaultAction: 'SCMP_ACT_KILL', syscalls });
  t.equal(kills('clone'), allow);
  t.equal(kills('getpid'), actions.SCMP_ACT_KILL.value, 'older than clone');
  t.equal(kills('mkdir'), errno(38));
  const logs = compiled({ defaultAction: 'SCMP_ACT_LOG', syscalls });
  t.equal(logs('mkdir'), actions.SCMP_ACT_LOG.value);
});

t.test('architectures: the listed ones and the native one; others end the thread', { skip }, async (t) => {
  const syscalls = [{ names: ['mkdir'], action: 'SCMP_ACT_ERRNO' }] satisfies LinuxSeccomp['syscalls'];
  const mkdirOn32 = { number: 39, architecture: i386 };
  const both = compileFilter({ defaultAction: 'SCMP_ACT_ALLOW', architectures: ['SCMP_ARCH_X86'], syscalls }).program;
  t.equal(evaluate(both, mkdirOn32), errno(1));
  t.equal(evaluate(both, { number: 20, architecture: i386 }), allow);
  t.equal(evaluate(both, { number: calls.mkdir, architecture: x86_64 }), errno(1));
  const native = compileFilter({ defaultAction: 'SCMP_ACT_ALLOW', syscalls }).program;
  t.equal(evaluate(native, mkdirOn32), actions.SCMP_ACT_KILL_THREAD.value);
});

t.test('a profile of several hundred calls, arranged as a tree, answers for each as it says', { skip }, async (t) => {
  const profile = largeProfile();
  const { program } = compileFilter(profile);
  const ask = (number: number, ...values: bigint[]) =>
    evaluate(program, { number, architecture: x86_64, arguments: values });
  const refused = [101, 155, 165, 166, 169, 246, 250, 272, 298, 308, 321];
  for (const number of refused) t.equal(ask(number), errno(1), `call ${number}`);
  for (const number of [0, 1, 2, 9, 59, 60, 83, 202, 257, 262, 334, 439]) t.equal(ask(number), allow, `call ${number}`);
  t.equal(ask(135, 8n), allow, 'personality(8)');
  t.equal(ask(135, 9n), errno(1));
  t.equal(ask(56, 0x7e020000n), errno(1), 'clone with CLONE_NEWNS');
  t.equal(ask(56, 0x11n), allow);
  t.equal(ask(435), errno(38), 'clone3');
  t.equal(ask(161), errno(13), 'chroot');
  t.equal(ask(1000), errno(38), 'newer than all');
});

function largeProfile(): LinuxSeccomp {
  return JSON.parse(readFileSync(join(repoRoot, 'test/fixtures/seccomp-profile.json'), 'utf8'));
}

t.test('what cannot be compiled names the property and the way out', { skip }, async (t) => {
  const plain = { defaultAction: 'SCMP_ACT_ALLOW' } satisfies LinuxSeccomp;
  t.throws(() => compileFilter({ ...plain, architectures: ['SCMP_ARCH_X86', 'SCMP_ARCH_MIPS'] }), {
    message: /^\/linux\/seccomp\/architectures\/1: SCMP_ARCH_MIPS has the other byte order/,
  });
  const contradiction: LinuxSeccomp = {
    ...plain,
    syscalls: [
      { names: ['read'], action: 'SCMP_ACT_LOG', args: [{ index: 0, value: 1, op: 'SCMP_CMP_EQ' }] },
      { names: ['write', 'read'], action: 'SCMP_ACT_ERRNO', args: [{ index: 0, value: 1, op: 'SCMP_CMP_EQ' }] },
    ],
  };
  t.throws(() => compileFilter(contradiction), { message: /^\/linux\/seccomp\/syscalls\/1: no rule for read/ });
});

t.test('a filter that is too long for the kernel is refused', { skip }, async (t) => {
  const args = (value: number) => [{ index: 1, value: value * 2 ** 33, op: 'SCMP_CMP_EQ' }] as LinuxSeccompArg[];
  const syscalls = Array.from({ length: 2000 }, (_, value) => {
    return { names: ['ioctl'], action: 'SCMP_ACT_ERRNO' as const, args: args(value) };
  });
  t.throws(() => compileFilter({ defaultAction: 'SCMP_ACT_ALLOW', syscalls }), {
    message: /^\/linux\/seccomp: the filter has \d+ instructions; 4096 at most/,
  });
});
