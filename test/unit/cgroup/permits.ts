const letters = { m: 1, r: 2, w: 4 };

/** Whether a device program allows `access`: an interpreter of the few instructions that it may have. */
export function permits(program: Buffer, type: 'b' | 'c', major: number, minor: number, access: string): boolean {
  const bits = [...access].reduce((sum, letter) => sum | letters[letter as keyof typeof letters], 0);
  const context = [(bits << 16) | { b: 1, c: 2 }[type], major, minor];
  const registers: number[] = Array(11).fill(0);
  for (let at = 0; at * 8 < program.length; at++) {
    const code = program.readUInt8(at * 8);
    const to = program.readUInt8(at * 8 + 1) & 15;
    const from = program.readUInt8(at * 8 + 1) >> 4;
    const offset = program.readInt16LE(at * 8 + 2);
    const immediate = program.readUInt32LE(at * 8 + 4);
    const value = registers[to] as number;
    if (code === 0x61) registers[to] = context[offset / 4] as number;
    else if (code === 0xbc) registers[to] = registers[from] as number;
    else if (code === 0xb7) registers[to] = immediate;
    else if (code === 0x54) registers[to] = (value & immediate) >>> 0;
    else if (code === 0x74) registers[to] = value >>> immediate;
    else if (code === 0x16) at += value === immediate ? offset : 0;
    else if (code === 0x26) at += value > immediate ? offset : 0;
    else if (code === 0x56) at += value !== immediate ? offset : 0;
    else if (code === 0x46) at += (value & immediate) !== 0 ? offset : 0;
    else if (code === 0x05) at += offset;
    else if (code === 0x95) return registers[0] === 1;
    else throw new Error(`instruction 0x${code.toString(16)}`);
  }
  throw new Error('ran off the end');
}
