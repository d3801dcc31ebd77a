import { type DeviceRule, defaultDeviceRules } from '../linux/device-rules.ts';

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

/** The two words of a struct bpf_insn, little-endian as the machines are that the rest of the addon is built for. */
type Instruction = readonly [number, number];

interface Operands {
  to?: number;
  from?: number;
  /** In instructions, counted from the next. */
  offset?: number;
  immediate?: number;
}

function instruction(code: number, { to = 0, from = 0, offset = 0, immediate = 0 }: Operands = {}): Instruction {
  return [code | (to << 8) | (from << 12) | (offset << 16), immediate];
}

/**
 * Compiles device rules to a BPF_PROG_TYPE_CGROUP_DEVICE program (bpf(2), struct bpf_cgroup_dev_ctx).
 *
 * Each kind of access (read, write, mknod) is decided by the last rule that matches the device and names it, and
 * refused when there is none. So a device that one rule lets read and another lets write may be opened for both, and a
 * rule that takes writing away takes read-and-write away: what the list says, where a test of "all of the rule's access
 * at once" would get both wrong. The program walks the rules from the last to the first and strikes out what is
 * decided.
 */
export function compileDeviceRules(rules: readonly DeviceRule[]): Uint8Array {
  const parts = withoutDeadRules(rules)
    .reverse()
    .map((rule) => compiledDefaults.get(rule) ?? compileRule(rule));
  return new Uint8Array(new Uint32Array([contextLoaded, ...parts, verdict(0)].flat(2)).buffer);
}

/** Whatever stands before a rule that matches everything has nothing left to decide. */
function withoutDeadRules(rules: readonly DeviceRule[]): DeviceRule[] {
  const last = rules.findLastIndex(
    ({ type, major, minor, access }) =>
      type === 'a' && major === null && minor === null && maskOf(access) === allAccess,
  );
  return rules.slice(Math.max(last, 0));
}

const contextLoaded: readonly Instruction[] = [
  // access_type is the access in the upper half and the type in the lower.
  instruction(opcode.loadWord, { to: register.type, from: register.context, offset: 0 }),
  instruction(opcode.move, { to: register.access, from: register.type }),
  instruction(opcode.and, { to: register.type, immediate: 0xffff }),
  instruction(opcode.shiftRight, { to: register.access, immediate: 16 }),
  instruction(opcode.loadWord, { to: register.major, from: register.context, offset: 4 }),
  instruction(opcode.loadWord, { to: register.minor, from: register.context, offset: 8 }),
];

function compileRule(rule: DeviceRule): Instruction[] {
  const body = rule.allow ? allowed(maskOf(rule.access)) : denied(maskOf(rule.access));
  const tests: [number, number][] = [];
  if (rule.type !== 'a') tests.push([register.type, typeNumbers[rule.type]]);
  if (rule.major !== null) tests.push([register.major, rule.major]);
  if (rule.minor !== null) tests.push([register.minor, rule.minor]);
  // A jump counts from the instruction after it.
  const jumps = tests.map(([to, immediate], index) => {
    const offset = tests.length - index - 1 + body.length;
    return instruction(opcode.jumpNotEqual, { to, immediate, offset });
  });
  return [...jumps, ...body];
}

/** Strikes the allowed bits out; nothing left to decide is a yes. */
function allowed(mask: number): Instruction[] {
  const rest = allAccess & ~mask;
  return [
    instruction(opcode.and, { to: register.access, immediate: rest }),
    instruction(opcode.jumpNotEqual, { to: register.access, immediate: 0, offset: 2 }),
    ...verdict(1),
  ];
}

/** One undecided bit that is refused refuses the whole access. */
function denied(mask: number): Instruction[] {
  return [
    instruction(opcode.jumpIfSet, { to: register.access, immediate: mask, offset: 1 }),
    // Over the verdict: BPF has no "jump if not set".
    instruction(opcode.jump, { offset: 2 }),
    ...verdict(0),
  ];
}

function verdict(value: 0 | 1): Instruction[] {
  return [instruction(opcode.moveImmediate, { to: register.verdict, immediate: value }), instruction(opcode.exit)];
}

function maskOf(access: string): number {
  return [...access].reduce((mask, letter) => mask | (accessBits[letter] ?? 0), 0);
}

/** Every container has these; the executable starts from a snapshot of its heap, where they are ready. */
const compiledDefaults = new Map(defaultDeviceRules.map((rule) => [rule, compileRule(rule).flat()]));
