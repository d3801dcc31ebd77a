import { TsrunError } from '../errors.ts';
import { type FieldType, type InitOp, initOps, layoutHash, type Op } from '../generated/ops.ts';
import { isInitOp } from './plan.ts';

const planMagic = 0x6e727374;
const absent = 0xffffffff;
const syncOpcode = 0;
const headerSize = 24;
const opHeaderSize = 16;

/** Numbers of the descriptors behind the slots that ops name. */
export type Slots = Readonly<Record<string, number>>;

/** Bytes behind the names of blobs that ops name. */
export type Blobs = Readonly<Record<string, Uint8Array>>;

/**
 * Encodes the init ops of a plan in the layout of addon/common/plan.h. Where runtime ops follow init ops, a sync op
 * carries the index of the first of them.
 *
 * @param traceFd shared memory for two timestamps per op, or -1
 * @throws TsrunError when a string holds a NUL byte, which C would cut short (CVE-2021-43784 was of that kind)
 */
export function encode(ops: readonly Op[], slots: Slots, blobs: Blobs = {}, traceFd = -1): Buffer {
  const writer = new Writer(slots, blobs);
  writer.zeros(headerSize);
  const program = withSyncs(ops);
  for (const { op, index } of program) writer.op(op, index);
  const bytes = writer.finish();
  bytes.writeUInt32LE(planMagic, 0);
  bytes.writeUInt32LE(layoutHash, 4);
  bytes.writeUInt32LE(program.length, 8);
  bytes.writeUInt32LE(bytes.length, 12);
  bytes.writeInt32LE(traceFd, 16);
  bytes.writeUInt32LE(ops.length, 20);
  return bytes;
}

type Step = { op: InitOp | 'sync'; index: number };

function withSyncs(ops: readonly Op[]): Step[] {
  const steps: Step[] = [];
  ops.forEach((op, index) => {
    const previous = ops[index - 1];
    if (isInitOp(op)) steps.push({ op, index });
    else if (previous !== undefined && isInitOp(previous)) steps.push({ op: 'sync', index });
  });
  return steps;
}

/** What stands in the pool: one string, bytes, or strings that stand there themselves. */
type Data = string | Uint8Array | readonly string[];

/** Fixed part first, then the pool of strings and lists; offsets into the pool are patched at the end. */
class Writer {
  private buffer = Buffer.alloc(16384);
  /** Of the buffer: it writes numbers in a third of the time that Buffer's methods take. */
  private view = viewOf(this.buffer);
  private size = 0;
  /** Where an offset into the data stands, and the data. */
  private readonly later: { at: number; data: Data; count: number }[] = [];

  private readonly slots: Slots;
  private readonly blobs: Blobs;

  constructor(slots: Slots, blobs: Blobs) {
    this.slots = slots;
    this.blobs = blobs;
  }

  zeros(count: number): void {
    this.reserve(count);
    this.size += count;
  }

  op(op: InitOp | 'sync', index: number): void {
    const layout = op === 'sync' ? undefined : initOps[op.op];
    this.u32(layout?.code ?? syncOpcode);
    this.u32(index);
    this.u32(opHeaderSize + 8 * (layout?.fields.length ?? 0));
    this.u32(0);
    for (const [name, type] of layout?.fields ?? []) {
      const value: unknown = (op as unknown as Record<string, unknown>)[name];
      this.field(type, value);
    }
  }

  finish(): Buffer {
    // Offsets of what later data holds in turn (strings of lists) are appended while this runs.
    for (let i = 0; i < this.later.length; i++) {
      const { at, data, count } = this.later[i] as (typeof this.later)[number];
      this.zeros((8 - (this.size % 8)) % 8);
      this.view.setUint32(at, this.size, true);
      if (typeof data === 'string') this.text(data, count);
      else if (data instanceof Uint8Array) this.bytes(data);
      else for (const item of data) this.string(item);
    }
    return this.buffer.subarray(0, this.size);
  }

  private field(type: FieldType, value: unknown): void {
    if (value === null || value === undefined) {
      if (type === 'fd?') this.i64(-1);
      else this.reference(absent, 0);
      return;
    }
    switch (type) {
      case 'str':
      case 'str?':
        return this.string(value as string);
      case 'strs':
        return this.pool(value as readonly string[], (value as readonly string[]).length);
      case 'bytes':
        return this.pool(value as Uint8Array, (value as Uint8Array).length);
      case 'blob': {
        const bytes = named(value as string, this.blobs);
        return this.pool(bytes, bytes.length);
      }
      case 'u64s':
        return this.numbers(value as readonly (number | bigint)[]);
      case 'bool':
        return this.i64(value === true ? 1 : 0);
      case 'fd':
      case 'fd?':
        return this.i64(named(value as string, this.slots));
      default:
        return this.i64(value as number | bigint);
    }
  }

  private string(value: string): void {
    if (value.includes('\0')) throw new TsrunError(`a string of the plan holds a NUL byte: ${JSON.stringify(value)}`);
    this.pool(value, Buffer.byteLength(value));
  }

  private numbers(values: readonly (number | bigint)[]): void {
    const bytes = Buffer.alloc(values.length * 8);
    values.forEach((value, i) => {
      bytes.writeBigUInt64LE(BigInt(value), i * 8);
    });
    this.pool(bytes, values.length);
  }

  private pool(data: Data, count: number): void {
    this.later.push({ at: this.size, data, count });
    this.reference(0, count);
  }

  private reference(offset: number, count: number): void {
    this.u32(offset);
    this.u32(count);
  }

  private u32(value: number): void {
    this.reserve(4);
    this.view.setUint32(this.size, value, true);
    this.size += 4;
  }

  private i64(value: number | bigint): void {
    this.reserve(8);
    if (typeof value === 'bigint') {
      this.view.setBigUint64(this.size, BigInt.asUintN(64, value), true);
    } else {
      this.view.setUint32(this.size, value, true);
      this.view.setInt32(this.size + 4, Math.floor(value / 2 ** 32), true);
    }
    this.size += 8;
  }

  /** With a NUL at its end: room that is not written to is zero. */
  private text(value: string, byteCount: number): void {
    this.reserve(byteCount + 1);
    this.buffer.write(value, this.size);
    this.size += byteCount + 1;
  }

  private bytes(data: Uint8Array): void {
    this.reserve(data.length);
    this.buffer.set(data, this.size);
    this.size += data.length;
  }

  private reserve(count: number): void {
    if (this.size + count <= this.buffer.length) return;
    const larger = Buffer.alloc(Math.max(this.buffer.length * 2, this.size + count));
    this.buffer.copy(larger, 0, 0, this.size);
    this.buffer = larger;
    this.view = viewOf(larger);
  }
}

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}

function named<T>(name: string, things: Readonly<Record<string, T>>): T {
  const thing = things[name];
  if (thing === undefined) throw new Error(`the plan names ${name}, which no op made`);
  return thing;
}
