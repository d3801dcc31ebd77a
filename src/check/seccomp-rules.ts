/** Finds rules of a seccomp profile that do something else than they say once libseccomp has put them together. */
import type { Problem } from '../config/validate/finding.ts';
import type { LinuxSeccomp, LinuxSyscall } from '../generated/spec.ts';
import { actions, defaultErrno } from '../linux/seccomp.ts';
import type { CheckContext } from './context.ts';

const base = '/linux/seccomp/syscalls';

export function seccompRuleWarnings({ spec }: CheckContext): Problem[] {
  const seccomp = spec.linux?.seccomp;
  if (seccomp === undefined) return [];
  return [...lostRules(seccomp), ...comparisonProblems(seccomp)];
}

/**
 * libseccomp takes one answer for a call whatever its arguments are, and then drops the rules that look at them, whether
 * they come before or after it.
 */
function lostRules({ syscalls = [] }: LinuxSeccomp): Problem[] {
  const always = new Map<string, { index: number; answer: string }>();
  for (const [index, entry] of syscalls.entries()) {
    if (hasConditions(entry)) continue;
    for (const name of entry.names) if (!always.has(name)) always.set(name, { index, answer: answerOf(entry) });
  }
  return syscalls.flatMap((entry, index): Problem[] => {
    if (!hasConditions(entry)) return [];
    const lost = entry.names.filter((name) => (always.get(name)?.answer ?? answerOf(entry)) !== answerOf(entry));
    const [first] = lost;
    if (first === undefined) return [];
    const { index: other = 0, answer = '' } = always.get(first) ?? {};
    return [
      {
        pointer: `${base}/${index}/args`,
        message: `has no effect on ${someOf(lost)}: ${base}/${other} answers with ${answer}, whatever the arguments are`,
        hint: 'give the other entry args, too, so that only one of them matches',
      },
    ];
  });
}

function comparisonProblems({ syscalls = [] }: LinuxSeccomp): Problem[] {
  return syscalls.flatMap(({ args = [] }, entry) =>
    args.flatMap(({ index, op, value, valueTwo = 0 }, at): Problem[] => {
      const pointer = `${base}/${entry}/args/${at}`;
      const isRepeated = args.findIndex((other) => other.index === index) < at;
      const [mask, wanted] = [BigInt(value), BigInt(valueTwo)];
      return [
        ...(isRepeated ? [{ pointer: `${pointer}/index`, message: eitherIsEnough(index), hint: rangeHint }] : []),
        ...(op === 'SCMP_CMP_MASKED_EQ' && (wanted & ~mask) !== 0n
          ? [{ pointer: `${pointer}/valueTwo`, message: outsideMask(mask, wanted), hint: 'value is the mask' }]
          : []),
      ];
    }),
  );
}

const rangeHint = 'libseccomp takes one condition for each argument, so each becomes a rule of its own, as with runc';

function eitherIsEnough(index: number): string {
  return `argument ${index} has several conditions, and any one of all conditions here is enough`;
}

function outsideMask(mask: bigint, wanted: bigint): string {
  const hex = (value: bigint) => `0x${value.toString(16)}`;
  return `${hex(wanted)} has bits outside the mask ${hex(mask)}: libseccomp compares with ${hex(wanted & mask)}`;
}

function hasConditions({ args = [] }: LinuxSyscall): boolean {
  return args.length > 0;
}

/** SCMP_ACT_ERRNO 1 */
function answerOf({ action, errnoRet = defaultErrno }: LinuxSyscall): string {
  return actions[action].takesErrno ? `${action} ${errnoRet}` : action;
}

function someOf(names: readonly string[]): string {
  return names.length <= 3 ? names.join(', ') : `${names.slice(0, 3).join(', ')} and ${names.length - 3} more`;
}
