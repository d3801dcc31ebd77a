/**
 * The part of Node's Buffer that the command uses, for an engine that only has Uint8Array. Names and meaning are the
 * same.
 */
import { host } from './host.ts';

type Encoding = 'utf8' | 'latin1' | 'hex' | 'base64';

/** What Buffer's functions return: bytes with methods to read and write them. */
export class Bytes extends Uint8Array {
  override toString(encoding: Encoding = 'utf8', start = 0, end = this.length): string {
    const bytes = start === 0 && end >= this.length ? this : this.subarray(start, end);
    if (encoding === 'utf8') return host.decode(bytes);
    if (encoding === 'latin1') return host.decodeLatin1(bytes);
    if (encoding === 'hex') return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
    return base64(bytes);
  }

  /** Writes a string as UTF-8, as far as there is room. */
  write(text: string, at = 0): number {
    return host.write(this, text, at);
  }

  equals(other: Uint8Array): boolean {
    return this.length === other.length && this.every((byte, index) => byte === other[index]);
  }

  copy(target: Uint8Array, at = 0, start = 0, end = this.length): number {
    const part = this.subarray(start, Math.min(end, start + target.length - at));
    target.set(part, at);
    return part.length;
  }

  readUInt8(at = 0): number {
    return this.byte(at);
  }

  readUInt16LE(at = 0): number {
    return this.byte(at) | (this.byte(at + 1) << 8);
  }

  readInt32LE(at = 0): number {
    return this.readUInt16LE(at) | (this.readUInt16LE(at + 2) << 16);
  }

  readUInt32LE(at = 0): number {
    return this.readInt32LE(at) >>> 0;
  }

  readBigUInt64LE(at = 0): bigint {
    return BigInt(this.readUInt32LE(at)) | (BigInt(this.readUInt32LE(at + 4)) << 32n);
  }

  writeUInt8(value: number, at = 0): number {
    this.check(at, 1);
    this[at] = value;
    return at + 1;
  }

  writeUInt16LE(value: number, at = 0): number {
    this.check(at, 2);
    this[at] = value;
    this[at + 1] = value >>> 8;
    return at + 2;
  }

  writeInt16LE(value: number, at = 0): number {
    return this.writeUInt16LE(value, at);
  }

  writeUInt32LE(value: number, at = 0): number {
    this.check(at, 4);
    this[at] = value;
    this[at + 1] = value >>> 8;
    this[at + 2] = value >>> 16;
    this[at + 3] = value >>> 24;
    return at + 4;
  }

  writeInt32LE(value: number, at = 0): number {
    return this.writeUInt32LE(value, at);
  }

  writeBigUInt64LE(value: bigint, at = 0): number {
    this.writeUInt32LE(Number(value & 0xffffffffn), at);
    return this.writeUInt32LE(Number(value >> 32n), at + 4);
  }

  private byte(at: number): number {
    const byte = this[at];
    if (byte === undefined) this.check(at, 1);
    return byte as number;
  }

  /** Throws as Node does; a plain array would grow or give undefined. */
  private check(at: number, size: number): void {
    if (at < 0 || at + size > this.length) throw new RangeError(`Buffer: ${at} is outside of ${this.length} bytes`);
  }
}

/** The functions of Node's global Buffer. */
export const SmallBuffer = {
  alloc: (size: number) => new Bytes(size),
  allocUnsafe: (size: number) => host.allocate(size),
  byteLength: (text: string) => host.byteLength(text),

  from(source: string | ArrayLike<number>, encoding: Encoding = 'utf8'): Uint8Array {
    if (typeof source !== 'string') return new Bytes(source);
    if (encoding === 'utf8') return host.encode(source);
    if (encoding === 'latin1') return new Bytes(Array.from(source, (char) => char.charCodeAt(0)));
    throw new TypeError(`Buffer.from: the encoding ${encoding} is not there`);
  },

  concat(parts: readonly Uint8Array[], size = parts.reduce((sum, part) => sum + part.length, 0)): Bytes {
    const whole = new Bytes(size);
    let at = 0;
    for (const part of parts) {
      whole.set(at + part.length > size ? part.subarray(0, size - at) : part, at);
      at += part.length;
    }
    return whole;
  },
};

const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

function base64(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 3) {
    const [a = 0, b = 0, c = 0] = bytes.subarray(at, at + 3);
    const bits = (a << 16) | (b << 8) | c;
    for (const shift of [18, 12, 6, 0]) text += digits[(bits >> shift) & 63];
  }
  const padding = (3 - (bytes.length % 3)) % 3;
  return text.slice(0, text.length - padding) + '='.repeat(padding);
}
