/**
 * What tsrun knows about seccomp, name by name, with the numbers of libseccomp and seccomp(2). Compiling, lowering and
 * `tsrun features` all use these tables.
 */
import type { SeccompAction, SeccompArch, SeccompFeatures, SeccompFlag, SeccompOperator } from '../generated/spec.ts';

/**
 * The value that a filter returns, without the 16 bits of data in its lower half (SECCOMP_RET_* of linux/seccomp.h).
 */
export const actions: Readonly<Record<SeccompAction, { value: number; takesErrno: boolean }>> = {
  SCMP_ACT_KILL: { value: 0x00000000, takesErrno: false },
  SCMP_ACT_KILL_THREAD: { value: 0x00000000, takesErrno: false },
  SCMP_ACT_KILL_PROCESS: { value: 0x80000000, takesErrno: false },
  SCMP_ACT_TRAP: { value: 0x00030000, takesErrno: false },
  SCMP_ACT_ERRNO: { value: 0x00050000, takesErrno: true },
  SCMP_ACT_NOTIFY: { value: 0x7fc00000, takesErrno: false },
  SCMP_ACT_TRACE: { value: 0x7ff00000, takesErrno: true },
  SCMP_ACT_LOG: { value: 0x7ffc0000, takesErrno: false },
  SCMP_ACT_ALLOW: { value: 0x7fff0000, takesErrno: false },
};

/** enum scmp_compare of libseccomp's seccomp.h. */
export const operators: Readonly<Record<SeccompOperator, number>> = {
  SCMP_CMP_NE: 1,
  SCMP_CMP_LT: 2,
  SCMP_CMP_LE: 3,
  SCMP_CMP_EQ: 4,
  SCMP_CMP_GE: 5,
  SCMP_CMP_GT: 6,
  SCMP_CMP_MASKED_EQ: 7,
};

export interface Architecture {
  /** SCMP_ARCH_* of libseccomp. */
  readonly token: number;
  /** AUDIT_ARCH_* as the filter sees it. It equals the token, except for x32, which is a mode of x86_64. */
  readonly audit: number;
  /** The first libseccomp that knows it; absent if every libseccomp in use does. */
  readonly since?: string;
  /** Numbers from here on are not ordinary system calls: x32's bit, ARM's private calls, or a tracer's -1. */
  readonly ceiling: number;
  /** Set for s390, which shows a number that its kernel does not know as 0. */
  readonly unknownIsZero?: boolean;
}

const ordinary = 0x80000000;

export const architectures: Readonly<Record<SeccompArch, Architecture>> = {
  SCMP_ARCH_X86: same(0x40000003),
  SCMP_ARCH_X86_64: { ...same(0xc000003e), ceiling: 0x40000000 },
  SCMP_ARCH_X32: { token: 0x4000003e, audit: 0xc000003e, ceiling: ordinary },
  SCMP_ARCH_ARM: { ...same(0x40000028), ceiling: 0x000f0000 },
  SCMP_ARCH_AARCH64: same(0xc00000b7),
  SCMP_ARCH_LOONGARCH64: { ...same(0xc0000102), since: '2.6' },
  SCMP_ARCH_M68K: { ...same(0x00000004), since: '2.6' },
  SCMP_ARCH_MIPS: same(0x00000008),
  SCMP_ARCH_MIPS64: same(0x80000008),
  SCMP_ARCH_MIPS64N32: same(0xa0000008),
  SCMP_ARCH_MIPSEL: same(0x40000008),
  SCMP_ARCH_MIPSEL64: same(0xc0000008),
  SCMP_ARCH_MIPSEL64N32: same(0xe0000008),
  SCMP_ARCH_PARISC: same(0x0000000f),
  SCMP_ARCH_PARISC64: same(0x8000000f),
  SCMP_ARCH_PPC: same(0x00000014),
  SCMP_ARCH_PPC64: same(0x80000015),
  SCMP_ARCH_PPC64LE: same(0xc0000015),
  SCMP_ARCH_RISCV64: same(0xc00000f3),
  SCMP_ARCH_S390: { ...same(0x00000016), unknownIsZero: true },
  SCMP_ARCH_S390X: { ...same(0x80000016), unknownIsZero: true },
  SCMP_ARCH_SH: { ...same(0x4000002a), since: '2.6' },
  SCMP_ARCH_SHEB: { ...same(0x0000002a), since: '2.6' },
};

function same(token: number): Architecture {
  return { token, audit: token, ceiling: ordinary };
}

/** Flags of seccomp(2) that a profile may name, and the first kernel that has each. */
export const flags: Readonly<Record<SeccompFlag, { value: number; since: string }>> = {
  SECCOMP_FILTER_FLAG_TSYNC: { value: 1 << 0, since: '3.17' },
  SECCOMP_FILTER_FLAG_LOG: { value: 1 << 1, since: '4.14' },
  SECCOMP_FILTER_FLAG_SPEC_ALLOW: { value: 1 << 2, since: '4.17' },
  SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV: { value: 1 << 5, since: '5.19' },
};

/** Flags of seccomp(2) that are only needed to hand over a listener. */
export const listenerFlags = { newListener: 1 << 3, tsync: 1 << 0, tsyncErrno: 1 << 4 } as const;

/** config-linux.md: the errno of SCMP_ACT_ERRNO and SCMP_ACT_TRACE if none is given. */
export const defaultErrno = 1;

/**
 * The seccomp section of `tsrun features` (features-linux.md, seccomp).
 *
 * @param supportedFlags those flags that the running kernel also knows
 */
export function seccompFeatures(supportedFlags: readonly SeccompFlag[]): SeccompFeatures {
  return {
    enabled: true,
    actions: Object.keys(actions) as SeccompAction[],
    operators: Object.keys(operators) as SeccompOperator[],
    archs: Object.keys(architectures) as SeccompArch[],
    knownFlags: Object.keys(flags) as SeccompFlag[],
    supportedFlags: [...supportedFlags],
  };
}
