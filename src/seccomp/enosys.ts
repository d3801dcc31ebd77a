/**
 * Answers system calls newer than the profile with ENOSYS instead of the default action: the C library then tries the
 * older call (clone instead of clone3, fstatat instead of statx), but would take EPERM as final. A profile knows a call
 * if its number is not above the highest of the calls that it names, for each architecture.
 */
import type { SeccompAction } from '../generated/spec.ts';
import { type Architecture, actions } from '../linux/seccomp.ts';

/** The highest number of the profile's calls on one architecture. */
export interface Newest {
  readonly architecture: Architecture;
  readonly number: number;
}

/** Classic BPF (linux/bpf_common.h), as far as the stub uses it. */
const load = 0x20; // BPF_LD | BPF_W | BPF_ABS
const jump = 0x05; // BPF_JMP | BPF_JA
const jumpIfEqual = 0x15; // BPF_JMP | BPF_JEQ | BPF_K
const jumpIfGreater = 0x25; // BPF_JMP | BPF_JGT | BPF_K
const jumpIfNotLess = 0x35; // BPF_JMP | BPF_JGE | BPF_K
const answer = 0x06; // BPF_RET | BPF_K

/** Offsets in struct seccomp_data. */
const numberOffset = 0;
const architectureOffset = 4;

const enosys = 38;

interface Instruction {
  readonly code: number;
  readonly value: number;
  /** Instructions to skip when the comparison is true, and when it is false. */
  readonly yes?: number;
  readonly no?: number;
}

/**
 * Whether a call that the profile cannot have considered would otherwise be refused. ALLOW and LOG refuse nothing; a
 * tracer and an agent decide themselves (for the tracer, as in runc).
 */
export function needsStub(defaultAction: SeccompAction, defaultErrno: number): boolean {
  if (defaultAction === 'SCMP_ACT_ERRNO') return defaultErrno !== enosys;
  return ['SCMP_ACT_KILL', 'SCMP_ACT_KILL_THREAD', 'SCMP_ACT_KILL_PROCESS', 'SCMP_ACT_TRAP'].includes(defaultAction);
}

/**
 * Instructions to put before a filter: they answer ENOSYS or fall through to it.
 *
 * @returns struct sock_filter[] in this machine's byte order (little-endian wherever Node runs, except on s390x)
 */
export function enosysStub(newest: readonly Newest[]): Buffer {
  const blocks = byAuditArchitecture(newest);
  if (blocks.length === 0) return Buffer.alloc(0);
  const bodies = blocks.map(({ calls }) => block(calls));
  const total = 1 + blocks.length + 1 + bodies.reduce((sum, body) => sum + body.length, 0);
  const program: Instruction[] = [{ code: load, value: architectureOffset }];
  let start = 1 + blocks.length + 1;
  blocks.forEach(({ audit }, index) => {
    program.push({ code: jumpIfEqual, value: audit, yes: start - program.length - 1 });
    start += bodies[index]?.length ?? 0;
  });
  program.push({ code: jump, value: total - program.length - 1 });
  for (const body of bodies) {
    for (const instruction of body) program.push(instruction === toFilter ? leave(total, program.length) : instruction);
  }
  return assemble(program);
}

/** A placeholder for the jump to the filter, until its distance is known. */
const toFilter: Instruction = { code: jump, value: 0 };

function leave(total: number, at: number): Instruction {
  return { code: jump, value: total - at - 1 };
}

/** To the kernel, x86_64 and x32 are one architecture. */
function byAuditArchitecture(newest: readonly Newest[]): { audit: number; calls: Newest[] }[] {
  const groups = new Map<number, Newest[]>();
  for (const call of newest) {
    const { audit } = call.architecture;
    groups.set(audit, [...(groups.get(audit) ?? []), call]);
  }
  return [...groups].map(([audit, calls]) => ({ audit, calls }));
}

/** A test for each range of unknown numbers, which leads to the last instruction; without a match, on to the filter. */
function block(calls: readonly Newest[]): Instruction[] {
  const tests = calls.flatMap(({ architecture, number }) => [
    ...(architecture.unknownIsZero === true ? [{ code: jumpIfEqual, value: 0, to: 'enosys' } as const] : []),
    { code: jumpIfGreater, value: number, to: 'next' } as const,
    { code: jumpIfNotLess, value: architecture.ceiling, to: 'unless' } as const,
  ]);
  const end = tests.length + 2;
  const body: Instruction[] = [{ code: load, value: numberOffset }];
  for (const { code, value, to } of tests) {
    const distance = end - body.length - 1;
    if (to === 'enosys') body.push({ code, value, yes: distance });
    // Not above the newest: skip the second half of the range's test.
    else if (to === 'next') body.push({ code, value, no: 1 });
    else body.push({ code, value, no: distance });
  }
  return [...body, toFilter, { code: answer, value: actions.SCMP_ACT_ERRNO.value | enosys }];
}

function assemble(program: readonly Instruction[]): Buffer {
  const bytes = Buffer.alloc(program.length * 8);
  program.forEach(({ code, value, yes = 0, no = 0 }, index) => {
    bytes.writeUInt16LE(code, index * 8);
    bytes.writeUInt8(yes, index * 8 + 2);
    bytes.writeUInt8(no, index * 8 + 3);
    bytes.writeUInt32LE(value, index * 8 + 4);
  });
  return bytes;
}
