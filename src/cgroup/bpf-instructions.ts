/** The eBPF of device programs: only those parts of linux/bpf.h that they use. */

/** BPF_DEVCG_ACC_* from linux/bpf.h. */
const accessBits: Readonly<Record<string, number>> = { m: 1, r: 2, w: 4 };
export const allAccess = 7;
/** BPF_DEVCG_DEV_* from linux/bpf.h. */
export const typeNumbers = { b: 1, c: 2 } as const;

/** Opcodes from linux/bpf.h: class, size or operation, mode or source. */
export const opcode = {
  loadWord: 0x61, // BPF_LDX | BPF_MEM | BPF_W
  move: 0xbc, // BPF_ALU | BPF_MOV | BPF_X
  moveImmediate: 0xb7, // BPF_ALU64 | BPF_MOV | BPF_K
  and: 0x54, // BPF_ALU | BPF_AND | BPF_K
  shiftRight: 0x74, // BPF_ALU | BPF_RSH | BPF_K
  jumpEqual: 0x16, // BPF_JMP32 | BPF_JEQ | BPF_K
  jumpNotEqual: 0x56, // BPF_JMP32 | BPF_JNE | BPF_K
  jumpGreater: 0x26, // BPF_JMP32 | BPF_JGT | BPF_K, of unsigned numbers
  jumpIfSet: 0x46, // BPF_JMP32 | BPF_JSET | BPF_K
  jump: 0x05, // BPF_JMP | BPF_JA
  exit: 0x95,
} as const;

/** r0 is the verdict, and r1 is the context at the start; the others are our own choice. */
export const register = { verdict: 0, context: 1, type: 2, access: 3, major: 4, minor: 5 } as const;

/** The two words of a struct bpf_insn, little-endian, as are all machines that the addon is built for. */
export type Instruction = readonly [number, number];

export interface Operands {
  to?: number;
  from?: number;
  /** Number of instructions to skip, counted from the next one. */
  offset?: number;
  immediate?: number;
}

export function instruction(code: number, { to = 0, from = 0, offset = 0, immediate = 0 }: Operands = {}): Instruction {
  return [code | (to << 8) | (from << 12) | (offset << 16), immediate];
}

export const contextLoaded: readonly Instruction[] = [
  // The upper half of access_type is the access, the lower half the type.
  instruction(opcode.loadWord, { to: register.type, from: register.context, offset: 0 }),
  instruction(opcode.move, { to: register.access, from: register.type }),
  instruction(opcode.and, { to: register.type, immediate: 0xffff }),
  instruction(opcode.shiftRight, { to: register.access, immediate: 16 }),
  instruction(opcode.loadWord, { to: register.major, from: register.context, offset: 4 }),
  instruction(opcode.loadWord, { to: register.minor, from: register.context, offset: 8 }),
];

export function verdict(value: 0 | 1): Instruction[] {
  return [instruction(opcode.moveImmediate, { to: register.verdict, immediate: value }), instruction(opcode.exit)];
}

export function maskOf(access: string): number {
  return [...access].reduce((mask, letter) => mask | (accessBits[letter] ?? 0), 0);
}
