/** A decoder of the encoded plan (addon/common/plan.h), made from schemas/ops.json independently of the encoder. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Op } from '../../src/generated/ops.ts';
import { repoRoot } from '../harness/index.ts';

interface TableOp {
  op: string;
  fields: Record<string, string>;
}

const table: TableOp[] = JSON.parse(readFileSync(join(repoRoot, 'schemas/ops.json'), 'utf8')).init;

const headerSize = 24;
const opHeaderSize = 16;
const absent = 0xffffffff;

/** The value of every slot and blob in a test's plan. */
export const slot = 7;
export const blob = Buffer.from('a blob');

export type DecodedOp = Record<string, unknown>;

/** Init's ops with their index in the plan; syncs are not in the table. */
export function decodePlan(bytes: Buffer): DecodedOp[] {
  const ops: DecodedOp[] = [];
  let at = headerSize;
  for (let i = bytes.readUInt32LE(8); i > 0; i--) {
    const [code, index, size] = [0, 4, 8].map((offset) => bytes.readUInt32LE(at + offset));
    const op = table[(code ?? 0) - 1];
    if (op !== undefined) ops.push({ op: op.op, index, ...decodeFields(bytes, at + opHeaderSize, op) });
    at += size ?? 0;
  }
  return ops;
}

function decodeFields(bytes: Buffer, start: number, { fields }: TableOp): DecodedOp {
  return Object.fromEntries(
    Object.entries(fields).map(([name, type], index) => [name, decodeField(bytes, start + 8 * index, type)]),
  );
}

function decodeField(bytes: Buffer, at: number, type: string): unknown {
  const [offset = 0, size = 0] = [bytes.readUInt32LE(at), bytes.readUInt32LE(at + 4)];
  switch (type) {
    case 'str':
    case 'str?':
      return offset === absent ? null : stringAt(bytes, at);
    case 'strs':
      return Array.from({ length: size }, (_, i) => stringAt(bytes, offset + 8 * i));
    case 'u64s':
      return Array.from({ length: size }, (_, i) => bytes.readBigUInt64LE(offset + 8 * i));
    case 'bytes':
    case 'blob':
      return bytes.subarray(offset, offset + size).toString('latin1');
    default:
      return bytes.readBigUInt64LE(at);
  }
}

function stringAt(bytes: Buffer, at: number): string {
  const [offset, size] = [bytes.readUInt32LE(at), bytes.readUInt32LE(at + 4)];
  if (bytes[offset + size] !== 0) throw new Error('a string without its NUL');
  return bytes.toString('utf8', offset, offset + size);
}

/** What decodePlan must find. */
export function expectedOps(ops: readonly Op[]): DecodedOp[] {
  return ops.flatMap((op, index) => {
    const entry = table.find((entry) => entry.op === op.op);
    if (entry === undefined) return [];
    const values = op as unknown as DecodedOp;
    const fields = Object.entries(entry.fields).map(([name, type]) => [name, expectedField(values[name], type)]);
    return [{ op: op.op, index, ...Object.fromEntries(fields) }];
  });
}

function expectedField(value: unknown, type: string): unknown {
  switch (type) {
    case 'str':
    case 'strs':
      return value;
    case 'str?':
      return value ?? null;
    case 'u64s':
      return (value as (number | bigint)[]).map(word);
    case 'bytes':
      return Buffer.from(value as Uint8Array).toString('latin1');
    case 'blob':
      return blob.toString('latin1');
    case 'fd':
      return word(slot);
    case 'fd?':
      return word(value === null || value === undefined ? -1 : slot);
    default:
      return word(value as number | bigint | boolean);
  }
}

/** The number as 64 bits. */
function word(value: number | bigint | boolean): bigint {
  return BigInt.asUintN(64, BigInt(value));
}
