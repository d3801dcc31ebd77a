import { TsrunError } from '../errors.ts';
import { type FieldType, type InitOp, initOps, layoutHash, type Op } from '../generated/ops.ts';
import { isInitOp } from './plan.ts';

const planMagic = 0x6e727374;
const absent = 0xffffffff;
const syncOpcode = 0;
const headerSize = 24;
const opHeaderSize = 16;
/** Of a number, or of the reference (offset, count) to what is in the pool. */
const fieldSize = 8;

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
  const program = withSyncs(ops);
  const fixedSize = program.reduce((size, { op }) => size + sizeOf(op), headerSize);
  const writer = new Writer(fixedSize, slots, blobs);
  for (const { op, index } of program) writer.op(op, index);
  return writer.finish([planMagic, layoutHash, program.length, writer.size, traceFd, ops.length]);
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

function sizeOf(op: InitOp | 'sync'): number {
  return opHeaderSize + (op === 'sync' ? 0 : fieldSize * initOps[op.op].fields.length);
}

/** Something in the pool, and its offset: a string, bytes, or the references of a list of strings. */
interface Piece {
  at: number;
  data: string | Uint8Array | readonly number[];
}

/**
 * The fixed part, a list of 32-bit words, and behind it the pool of strings and lists. All offsets are known as soon as
 * something is added, since the size of the fixed part is known before.
 */
class Writer {
  private readonly words: number[] = [];
  private readonly pieces: Piece[] = [];
  private readonly slots: Slots;
  private readonly blobs: Blobs;
  /** Of all, in bytes. */
  size: number;

  constructor(fixedSize: number, slots: Slots, blobs: Blobs) {
    this.size = fixedSize;
    this.slots = slots;
    this.blobs = blobs;
  }

  op(op: InitOp | 'sync', index: number): void {
    const layout = op === 'sync' ? undefined : initOps[op.op];
    this.words.push(layout?.code ?? syncOpcode, index, sizeOf(op), 0);
    for (const [name, type] of layout?.fields ?? []) {
      const value: unknown = (op as unknown as Record<string, unknown>)[name];
      this.field(type, value);
    }
  }

  finish(header: readonly number[]): Buffer {
    const bytes = Buffer.alloc(this.size);
    setWords(bytes, 0, [...header, ...this.words]);
    for (const { at, data } of this.pieces) {
      if (typeof data === 'string') bytes.write(data, at);
      else if (data instanceof Uint8Array) bytes.set(data, at);
      else setWords(bytes, at, data);
    }
    return bytes;
  }

  private field(type: FieldType, value: unknown): void {
    if (value === null || value === undefined) {
      if (type === 'fd?') this.number(-1);
      else this.words.push(absent, 0);
      return;
    }
    switch (type) {
      case 'str':
      case 'str?':
        return this.string(value as string, this.words);
      case 'strs':
        return this.strings(value as readonly string[]);
      case 'bytes':
        return this.bytes(value as Uint8Array);
      case 'blob':
        return this.bytes(named(value as string, this.blobs));
      case 'u64s':
        return this.numbers(value as readonly (number | bigint)[]);
      case 'bool':
        return this.number(value === true ? 1 : 0);
      case 'fd':
      case 'fd?':
        return this.number(named(value as string, this.slots));
      default:
        return this.number(value as number | bigint);
    }
  }

  private number(value: number | bigint, words = this.words): void {
    if (typeof value === 'number') words.push(value, Math.floor(value / 2 ** 32));
    else words.push(Number(BigInt.asUintN(32, value)), Number(BigInt.asUintN(32, value >> 32n)));
  }

  /** With a NUL at its end; the reference, which goes to `words`, does not count it. */
  private string(value: string, words: number[]): void {
    if (value.includes('\0')) throw new TsrunError(`a string of the plan holds a NUL byte: ${JSON.stringify(value)}`);
    const count = Buffer.byteLength(value);
    words.push(this.place(value, count + 1), count);
  }

  private strings(values: readonly string[]): void {
    const references: number[] = [];
    this.words.push(this.place(references, fieldSize * values.length), values.length);
    for (const value of values) this.string(value, references);
  }

  private numbers(values: readonly (number | bigint)[]): void {
    const words: number[] = [];
    for (const value of values) this.number(value, words);
    this.words.push(this.place(words, fieldSize * values.length), values.length);
  }

  private bytes(data: Uint8Array): void {
    this.words.push(this.place(data, data.length), data.length);
  }

  /** @returns the offset of what takes so many bytes of the pool */
  private place(data: Piece['data'], byteCount: number): number {
    const at = Math.ceil(this.size / fieldSize) * fieldSize;
    this.pieces.push({ at, data });
    this.size = at + byteCount;
    return at;
  }
}

/** Little-endian, as all architectures that tsrun knows are; negative numbers become their two's complement. */
function setWords(bytes: Buffer, at: number, words: readonly number[]): void {
  new Uint32Array(bytes.buffer, bytes.byteOffset + at, words.length).set(words);
}

function named<T>(name: string, things: Readonly<Record<string, T>>): T {
  const thing = things[name];
  if (thing === undefined) throw new Error(`the plan names ${name}, which no op made`);
  return thing;
}
