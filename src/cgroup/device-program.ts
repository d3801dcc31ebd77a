import type { DeviceRule } from './device-rules.ts';

/** BPF_DEVCG_ACC_* of linux/bpf.h. */
const accessBits: Readonly<Record<string, number>> = { m: 1, r: 2, w: 4 };
const allAccess = 7;
/** BPF_DEVCG_DEV_* of linux/bpf.h. */
const typeNumbers = { b: 1, c: 2 } as const;

/** Opcodes of linux/bpf.h: class, size or operation, mode or source. */
const opcode = {
  loadWord: 0x61, // BPF_LDX | BPF_MEM | BPF_W
  move: 0xbc, // BPF_ALU | BPF_MOV | BPF_X
  moveImmediate: 0xb7, // BPF_ALU64 | BPF_MOV | BPF_K
  and: 0x54, // BPF_ALU | BPF_AND | BPF_K
  shiftRight: 0x74, // BPF_ALU | BPF_RSH | BPF_K
  jumpNotEqual: 0x56, // BPF_JMP32 | BPF_JNE | BPF_K
  jumpIfSet: 0x46, // BPF_JMP32 | BPF_JSET | BPF_K
  jump: 0x05, // BPF_JMP | BPF_JA
  exit: 0x95,
} as const;

/** r0 is the verdict; r1 the context at the start; the others are this program's. */
const register = { verdict: 0, context: 1, type: 2, access: 3, major: 4, minor: 5 } as const;

type Instruction = { code: number; to?: number; from?: number; offset?: number; immediate?: number };

/**
 * Compiles device rules to a BPF_PROG_TYPE_CGROUP_DEVICE program (bpf(2), struct bpf_cgroup_dev_ctx).
 *
 * Each kind of access (read, write, mknod) is decided by the last rule that matches the device and names it, and
 * refused when there is none. So a device that one rule lets read and another lets write may be opened for both, and a
 * rule that takes writing away takes read-and-write away: what the list says, where a test of "all of the rule's access
 * at once" would get both wrong. The program walks the rules from the last to the first and strikes out what is
 * decided.
 */
export function compileDeviceRules(rules: readonly DeviceRule[]): Buffer {
  const instructions = loadContext();
  for (const rule of withoutDeadRules(rules).reverse()) instructions.push(...compileRule(rule));
  instructions.push(...verdict(0));
  return encodeInstructions(instructions);
}

/** Whatever stands before a rule that matches everything has nothing left to decide. */
function withoutDeadRules(rules: readonly DeviceRule[]): DeviceRule[] {
  const last = rules.findLastIndex(
    ({ type, major, minor, access }) =>
      type === 'a' && major === null && minor === null && maskOf(access) === allAccess,
  );
  return rules.slice(Math.max(last, 0));
}

function loadContext(): Instruction[] {
  const { context, type, access, major, minor } = register;
  return [
    // access_type is the access in the upper half and the type in the lower.
    { code: opcode.loadWord, to: type, from: context, offset: 0 },
    { code: opcode.move, to: access, from: type },
    { code: opcode.and, to: type, immediate: 0xffff },
    { code: opcode.shiftRight, to: access, immediate: 16 },
    { code: opcode.loadWord, to: major, from: context, offset: 4 },
    { code: opcode.loadWord, to: minor, from: context, offset: 8 },
  ];
}

function compileRule(rule: DeviceRule): Instruction[] {
  const body = rule.allow ? allowed(maskOf(rule.access)) : denied(maskOf(rule.access));
  const tests: [number, number][] = [];
  if (rule.type !== 'a') tests.push([register.type, typeNumbers[rule.type]]);
  if (rule.major !== null) tests.push([register.major, rule.major]);
  if (rule.minor !== null) tests.push([register.minor, rule.minor]);
  // A jump counts from the instruction after it.
  const jumps = tests.map(([to, immediate], index) => {
    const offset = tests.length - index - 1 + body.length;
    return { code: opcode.jumpNotEqual, to, immediate, offset };
  });
  return [...jumps, ...body];
}

/** Strikes the allowed bits out; nothing left to decide is a yes. */
function allowed(mask: number): Instruction[] {
  const rest = allAccess & ~mask;
  return [
    { code: opcode.and, to: register.access, immediate: rest },
    { code: opcode.jumpNotEqual, to: register.access, immediate: 0, offset: 2 },
    ...verdict(1),
  ];
}

/** One undecided bit that is refused refuses the whole access. */
function denied(mask: number): Instruction[] {
  return [
    { code: opcode.jumpIfSet, to: register.access, immediate: mask, offset: 1 },
    // Over the verdict: BPF has no "jump if not set".
    { code: opcode.jump, offset: 2 },
    ...verdict(0),
  ];
}

function verdict(value: 0 | 1): Instruction[] {
  return [{ code: opcode.moveImmediate, to: register.verdict, immediate: value }, { code: opcode.exit }];
}

function maskOf(access: string): number {
  return [...access].reduce((mask, letter) => mask | (accessBits[letter] ?? 0), 0);
}

/** struct bpf_insn on a little-endian machine, which is what the rest of the addon is built for too. */
function encodeInstructions(instructions: readonly Instruction[]): Buffer {
  const bytes = Buffer.alloc(instructions.length * 8);
  instructions.forEach(({ code, to = 0, from = 0, offset = 0, immediate = 0 }, index) => {
    const at = index * 8;
    bytes.writeUInt8(code, at);
    bytes.writeUInt8((from << 4) | to, at + 1);
    bytes.writeInt16LE(offset, at + 2);
    bytes.writeUInt32LE(immediate >>> 0, at + 4);
  });
  return bytes;
}
