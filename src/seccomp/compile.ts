/** Compiles a profile (config-linux.md, Seccomp) to the BPF program that init loads. */
import { addon, type SeccompOutcome, type SeccompRule } from '../addon.ts';
import { TsrunError } from '../errors.ts';
import type { LinuxSeccomp, LinuxSeccompArg, LinuxSyscall, SeccompAction, SeccompArch } from '../generated/spec.ts';
import { actions, architectures, defaultErrno, operators } from '../linux/seccomp.ts';
import { enosysStub, needsStub } from './enosys.ts';
import type { Libseccomp } from './unknown-calls.ts';

export interface CompiledFilter {
  /** struct sock_filter[] */
  program: Buffer;
  /** Names that libseccomp does not know: calls of other architectures, or newer than libseccomp. They are left out. */
  unknown: readonly string[];
}

/** Version of the libseccomp that is linked into tsrun. */
export function libseccompVersion(): string {
  return addon().libseccompVersion();
}

/** The same functions, in the form that unknownCalls takes. */
export const libseccomp: Libseccomp = {
  version: libseccompVersion,
  names: () => addon().syscallNames(),
};

/** BPF_MAXINSNS: the most that seccomp(2) takes. */
const maxInstructions = 4096;
const instructionSize = 8;

/**
 * A filter with at least so many names becomes a binary tree. The leaves of libseccomp's trees hold four calls each, so
 * a short list gains nothing, and up to 2.5.4 libseccomp makes a wrong tree of an empty one.
 */
const treeThreshold = 33;

/** @throws TsrunError that names the property which libseccomp refuses */
export function compileFilter(profile: LinuxSeccomp): CompiledFilter {
  const rules = lowerRules(profile);
  const listed = profile.architectures ?? [];
  const covered = withNative(listed);
  const lowered = {
    defaultAction: returnValue(profile.defaultAction, profile.defaultErrnoRet),
    architectures: covered.map((name) => architectures[name].token),
    optimize: rules.reduce((sum, { rule }) => sum + rule.names.length, 0) >= treeThreshold,
    rules: rules.map(({ rule }) => rule),
  };
  const outcome = addon().compileSeccomp(lowered);
  const { program: filter, newest = [], unknown = [], failure } = outcome;
  if (failure !== undefined || filter === undefined) throw refusal(outcome, listed, rules);
  const program = Buffer.concat([stubFor(profile, covered, newest), filter]);
  const instructions = program.length / instructionSize;
  if (instructions > maxInstructions) {
    throw new TsrunError(`the filter has ${instructions} instructions; ${maxInstructions} at most`, {
      about: '/linux/seccomp',
      hint: 'leave out architectures or conditions on arguments',
    });
  }
  return { program, unknown };
}

/** A rule for libseccomp, and the index of its entry in `syscalls`. */
interface PlacedRule {
  rule: SeccompRule;
  from: number;
}

/** Leaves out entries that repeat the default, because libseccomp refuses such rules. */
function lowerRules({ syscalls = [], defaultAction, defaultErrnoRet }: LinuxSeccomp): PlacedRule[] {
  const byDefault = returnValue(defaultAction, defaultErrnoRet);
  return syscalls.flatMap((entry, from) => {
    const action = returnValue(entry.action, entry.errnoRet);
    if (action === byDefault) return [];
    return alternatives(entry).map((conditions) => ({ from, rule: { action, names: entry.names, conditions } }));
  });
}

/**
 * Conditions on different arguments must all hold. libseccomp takes only one for each argument: if an argument has two,
 * each condition becomes a rule of its own, so that any of them is enough. runc does the same, and profiles in use rely
 * on it.
 */
function alternatives({ args = [] }: LinuxSyscall): SeccompRule['conditions'][] {
  const conditions = args.map(lowerCondition);
  const indices = new Set(args.map(({ index }) => index));
  return indices.size === args.length ? [conditions] : conditions.map((condition) => [condition]);
}

function lowerCondition({ index, value, valueTwo = 0, op }: LinuxSeccompArg): SeccompRule['conditions'][number] {
  return { index, op: operators[op], value: uint64(value), valueTwo: uint64(valueTwo) };
}

/** JSON.parse turns the largest uint64 into 2^64; validation has refused all other values that a double cannot hold. */
function uint64(value: number): bigint {
  return value === 2 ** 64 ? 2n ** 64n - 1n : BigInt(value);
}

function returnValue(action: SeccompAction, errno: number | undefined): number {
  const { value, takesErrno } = actions[action];
  return takesErrno ? value | (errno ?? defaultErrno) : value;
}

/** The architecture that libseccomp always covers, by process.arch. */
const nativeArchitectures: Readonly<Record<string, SeccompArch>> = {
  x64: 'SCMP_ARCH_X86_64',
  arm64: 'SCMP_ARCH_AARCH64',
};

function withNative(listed: readonly SeccompArch[]): SeccompArch[] {
  const native = nativeArchitectures[process.arch];
  return native === undefined || listed.includes(native) ? [...listed] : [...listed, native];
}

function stubFor(
  { defaultAction, defaultErrnoRet }: LinuxSeccomp,
  covered: readonly SeccompArch[],
  newest: readonly number[],
): Buffer {
  if (!needsStub(defaultAction, defaultErrnoRet ?? defaultErrno)) return Buffer.alloc(0);
  const known = covered.map((name, index) => ({ architecture: architectures[name], number: newest[index] ?? -1 }));
  return enosysStub(known.filter(({ number }) => number >= 0));
}

function refusal(
  { failure, version }: SeccompOutcome,
  listed: readonly SeccompArch[],
  rules: readonly PlacedRule[],
): TsrunError {
  const { step, index, name, error } = failure ?? { step: 'export', index: 0, name: '', error: 0 };
  const said = `libseccomp ${version} says errno ${error}`;
  switch (step) {
    case 'action':
      return new TsrunError(`this kernel or libseccomp ${version} does not have it`, {
        about: '/linux/seccomp/defaultAction',
      });
    case 'byte-order':
      return new TsrunError(`${listed[index]} has the other byte order`, {
        about: `/linux/seccomp/architectures/${index}`,
        hint: 'a filter holds architectures of one byte order: leave it out on this machine',
      });
    case 'architecture':
      return unknownArchitecture(listed[index], index, version);
    case 'rule': {
      const from = rules[index]?.from ?? index;
      return new TsrunError(`no rule for ${name} can be made: ${said}`, {
        about: `/linux/seccomp/syscalls/${from}`,
        hint: 'does another entry give the same call another action?',
      });
    }
    default:
      return new TsrunError(`no filter can be made: ${said}`, { about: '/linux/seccomp' });
  }
}

function unknownArchitecture(name: SeccompArch | undefined, index: number, version: string): TsrunError {
  const since = name === undefined ? undefined : architectures[name].since;
  return new TsrunError(`libseccomp ${version} does not know ${name}`, {
    about: `/linux/seccomp/architectures/${index}`,
    hint:
      since === undefined ? 'leave it out' : `leave it out; a tsrun that is built with libseccomp ${since} knows it`,
  });
}
