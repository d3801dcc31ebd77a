import { readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';

/** Length of CRIU's magic numbers, before the entries. */
const headerSize = 8;

/** Numbers from CRIU's images/fdinfo.proto and images/regfile.proto. */
const regularFile = 3;
const ofRegularFile = { size: 8, isExternal: 9, mode: 10 } as const;

/**
 * Removes size and mode from the entries in files.img for files that restore gets from outside: there, another log file
 * replaces the container's own, and CRIU would demand that it has the same length.
 */
export function forgetExternalSizes(directory: string): void {
  const path = join(directory, 'files.img');
  const image = readFileSync(path);
  const parts: Uint8Array[] = [image.subarray(0, headerSize)];
  for (let at = headerSize; at < image.length; ) {
    const end = at + 4 + image.readUInt32LE(at);
    const entry = rewritten(image.subarray(at + 4, end), withoutSize);
    const size = Buffer.alloc(4);
    size.writeUInt32LE(entry.length);
    parts.push(size, entry);
    at = end;
  }
  const draft = join(directory, '.files.img');
  writeFileSync(draft, Buffer.concat(parts), { mode: statSync(path).mode & 0o777 });
  renameSync(draft, path);
}

function withoutSize(number: number, bytes: Uint8Array): Uint8Array | undefined {
  if (number !== regularFile) return undefined;
  if (!isExternal(bytes)) return undefined;
  const dropped: readonly number[] = [ofRegularFile.size, ofRegularFile.mode];
  return rewritten(bytes, () => undefined, dropped);
}

function isExternal(bytes: Uint8Array): boolean {
  const reader = new BinaryReader(bytes, String);
  while (reader.pos < reader.len) {
    const [number, wire] = reader.tag();
    if (number === ofRegularFile.isExternal && wire === WireType.Varint) return reader.bool();
    reader.skip(wire, number);
  }
  return false;
}

/** Copies a message with other bytes for its embedded messages; unknown fields stay as they are. */
function rewritten(
  bytes: Uint8Array,
  replace: (number: number, bytes: Uint8Array) => Uint8Array | undefined,
  dropped: readonly number[] = [],
): Uint8Array {
  const reader = new BinaryReader(bytes, String);
  const writer = new BinaryWriter((text) => Buffer.from(text));
  while (reader.pos < reader.len) {
    const start = reader.pos;
    const [number, wire] = reader.tag();
    const other = wire === WireType.LengthDelimited ? replace(number, reader.bytes()) : undefined;
    if (wire !== WireType.LengthDelimited) reader.skip(wire, number);
    if (dropped.includes(number)) continue;
    if (other === undefined) writer.raw(bytes.subarray(start, reader.pos));
    else writer.tag(number, wire).bytes(other);
  }
  return writer.finish();
}
