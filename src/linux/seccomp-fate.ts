/** Finds out what a filter does with a system call, as the kernel would (linux/filter.h, linux/seccomp.h). */

/** Call numbers and AUDIT_ARCH_* of the architectures that tsrun runs on. */
const native = {
  x64: { architecture: 0xc000003e, execve: 59 },
  arm64: { architecture: 0xc00000b7, execve: 221 },
} as const;

/** Allowed, `killed` by SIGSYS, or refused with an errno. */
export type Fate = 'allowed' | 'killed' | { readonly error: number };

/** SECCOMP_RET_*: the upper half is the action, the lower half an errno. */
const actions = { killThread: 0, killProcess: 0x8000, trap: 0x3, errno: 0x5 } as const;

/**
 * @param program struct sock_filter[] in this machine's byte order
 * @param name of a call that this architecture has
 * @returns undefined if this depends on more than the call's number, such as an argument
 */
export function fateOf(program: Uint8Array, name: 'execve'): Fate | undefined {
  const call = native[process.arch === 'arm64' ? 'arm64' : 'x64'];
  const returned = evaluate(program, call[name], call.architecture);
  if (returned === undefined) return undefined;
  const action = returned >>> 16;
  if (action === actions.errno) return { error: returned & 0xffff };
  const isDeadly = action === actions.killThread || action === actions.killProcess || action === actions.trap;
  return isDeadly ? 'killed' : 'allowed';
}

/** Runs the classic BPF that libseccomp and our own code make; undefined for an instruction that it does not know. */
function evaluate(program: Uint8Array, number: number, architecture: number): number | undefined {
  const code = new DataView(program.buffer, program.byteOffset, program.byteLength);
  /** Undefined while the value is unknown. */
  let accumulator: number | undefined;
  const memory: (number | undefined)[] = [];
  for (let at = 0; at * 8 < program.length; at++) {
    const value = code.getUint32(at * 8 + 4, true);
    const [yes, no] = [code.getUint8(at * 8 + 2), code.getUint8(at * 8 + 3)];
    const known: number | undefined = accumulator;
    const holds = (test: (known: number) => boolean) => (known === undefined ? undefined : test(known));
    let jump: boolean | undefined;
    switch (code.getUint16(at * 8, true)) {
      case 0x20: // BPF_LD | BPF_W | BPF_ABS, from struct seccomp_data
        accumulator = value === 0 ? number : value === 4 ? architecture : undefined;
        continue;
      case 0x00: // BPF_LD | BPF_IMM
        accumulator = value;
        continue;
      case 0x02: // BPF_ST
        memory[value] = accumulator;
        continue;
      case 0x60: // BPF_LD | BPF_MEM
        accumulator = memory[value];
        continue;
      case 0x54: // BPF_ALU | BPF_AND | BPF_K
        accumulator = known === undefined ? undefined : (known & value) >>> 0;
        continue;
      case 0x05: // BPF_JMP | BPF_JA
        at += value;
        continue;
      case 0x15: // BPF_JEQ
        jump = holds((it) => it === value);
        break;
      case 0x25: // BPF_JGT
        jump = holds((it) => it > value);
        break;
      case 0x35: // BPF_JGE
        jump = holds((it) => it >= value);
        break;
      case 0x45: // BPF_JSET
        jump = holds((it) => (it & value) !== 0);
        break;
      case 0x06: // BPF_RET | BPF_K
        return value;
    }
    if (jump === undefined) return undefined;
    at += jump ? yes : no;
  }
  return undefined;
}
