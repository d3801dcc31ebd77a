/** An interpreter of classic BPF as seccomp runs it (linux/filter.h, linux/seccomp.h). */

export interface Call {
  number: number;
  /** AUDIT_ARCH_* */
  architecture: number;
  arguments?: bigint[];
}

/** What the filter returns for a call. */
export function evaluate(program: Buffer, call: Call): number {
  const data = seccompData(call);
  const memory: number[] = Array(16).fill(0);
  let accumulator = 0;
  let index = 0;
  for (let at = 0; at * 8 < program.length; at++) {
    const code = program.readUInt16LE(at * 8);
    const yes = program.readUInt8(at * 8 + 2);
    const no = program.readUInt8(at * 8 + 3);
    const value = program.readUInt32LE(at * 8 + 4);
    const jump = (holds: boolean) => {
      at += holds ? yes : no;
    };
    if (code === 0x20) accumulator = data.readUInt32LE(value);
    else if (code === 0x00) accumulator = value;
    else if (code === 0x01) index = value;
    else if (code === 0x07) index = accumulator;
    else if (code === 0x87) accumulator = index;
    else if (code === 0x02) memory[value] = accumulator;
    else if (code === 0x60) accumulator = memory[value] as number;
    else if (code === 0x54) accumulator = (accumulator & value) >>> 0;
    else if (code === 0x05) at += value;
    else if (code === 0x15) jump(accumulator === value);
    else if (code === 0x25) jump(accumulator > value);
    else if (code === 0x35) jump(accumulator >= value);
    else if (code === 0x45) jump((accumulator & value) !== 0);
    else if (code === 0x06) return value;
    else throw new Error(`instruction 0x${code.toString(16)} at ${at}`);
  }
  throw new Error('ran off the end');
}

/** struct seccomp_data */
function seccompData({ number, architecture, arguments: values = [] }: Call): Buffer {
  const data = Buffer.alloc(64);
  data.writeUInt32LE(number >>> 0, 0);
  data.writeUInt32LE(architecture, 4);
  values.forEach((value, i) => {
    data.writeBigUInt64LE(value, 16 + 8 * i);
  });
  return data;
}
