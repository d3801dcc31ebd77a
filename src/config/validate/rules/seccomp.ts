/** System call filters (config-linux.md, Seccomp; seccomp(2)). */
import type { LinuxSeccomp, SeccompAction } from '../../../generated/spec.ts';
import type { Problem } from '../finding.ts';
import { type Rule, when } from './rule.ts';

const base = '/linux/seccomp';

/**
 * The actions that return a number, each with the largest number that the kernel passes on (MAX_ERRNO;
 * SECCOMP_RET_DATA).
 */
const maxErrno: Partial<Record<SeccompAction, number>> = { SCMP_ACT_ERRNO: 4095, SCMP_ACT_TRACE: 65535 };

/**
 * Limit for the comparisons of all entries, each counted once for each of its names. A comparison takes at least one
 * instruction, unless rules share it; libseccomp's work grows with the square (20 s for 16000).
 */
const maxComparisons = 4096;

/**
 * Limit for the names of all entries. A filter has room for 4096 instructions (seccomp(2)); libseccomp takes hours for
 * a million names.
 */
const maxNames = 16384;

const sizeHint = 'Linux accepts no filter with so many';

export const seccompErrors: Rule[] = [
  seccompRule('seccomp-size', ({ syscalls = [] }) => {
    const count = syscalls.reduce((sum, { names }) => sum + names.length, 0);
    const comparisons = syscalls.reduce((sum, { names, args = [] }) => sum + names.length * args.length, 0);
    const at = `${base}/syscalls`;
    const tooMany = () => `must compare at most ${maxComparisons} arguments (args times names), found ${comparisons}`;
    return [
      ...when(count > maxNames, at, `must name at most ${maxNames} system calls, found ${count}`, sizeHint),
      ...when(comparisons > maxComparisons, at, tooMany, sizeHint),
    ];
  }),
  seccompRule('seccomp-errno', ({ defaultAction, defaultErrnoRet, syscalls = [] }) => [
    ...errnoProblems(defaultAction, defaultErrnoRet, `${base}/defaultErrnoRet`),
    ...syscalls.flatMap(({ action, errnoRet }, index) => {
      return errnoProblems(action, errnoRet, `${base}/syscalls/${index}/errnoRet`);
    }),
  ]),
  seccompRule('seccomp-notify-listener', (seccomp) => {
    const isUnheard = usesNotify(seccomp) && !seccomp.listenerPath;
    return when(isUnheard, base, 'SCMP_ACT_NOTIFY needs listenerPath', 'the socket of the agent that answers');
  }),
  seccompRule('seccomp-metadata', ({ listenerPath = '', listenerMetadata = '' }) => {
    return when(listenerMetadata !== '' && listenerPath === '', `${base}/listenerMetadata`, 'needs listenerPath');
  }),
  seccompRule('seccomp-argument-index', ({ syscalls = [] }) => {
    return syscalls.flatMap(({ args = [] }, index) => {
      return args.flatMap((arg, argIndex) => {
        const at = `${base}/syscalls/${index}/args/${argIndex}/index`;
        return when(arg.index > 5, at, `must be from 0 to 5, found ${arg.index}`, 'a system call has six arguments');
      });
    });
  }),
];

export const seccompWarnings: Rule[] = [
  seccompRule('seccomp-listener-unused', (seccomp) => {
    const isUnused = !!seccomp.listenerPath && !usesNotify(seccomp);
    return when(isUnused, `${base}/listenerPath`, 'is not used without SCMP_ACT_NOTIFY');
  }),
];

function seccompRule(name: string, check: (seccomp: LinuxSeccomp) => Problem[]): Rule {
  return {
    name,
    reads: [base],
    check: ({ linux }) => (linux?.seccomp === undefined ? [] : check(linux.seccomp)),
  };
}

function errnoProblems(action: SeccompAction, errno: number | undefined, pointer: string): Problem[] {
  if (errno === undefined) return [];
  const limit = maxErrno[action];
  if (limit === undefined) return when(true, pointer, `${action} returns no errno`, 'remove it or use SCMP_ACT_ERRNO');
  return when(errno > limit, pointer, `must be at most ${limit} for ${action}, found ${errno}`);
}

function usesNotify({ defaultAction, syscalls = [] }: LinuxSeccomp): boolean {
  return defaultAction === 'SCMP_ACT_NOTIFY' || syscalls.some(({ action }) => action === 'SCMP_ACT_NOTIFY');
}
