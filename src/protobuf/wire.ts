/** Encodes and decodes protobuf messages by a table of their fields, which has only those that tsrun sends or reads. */
import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';

type Kind = 'bool' | 'int32' | 'uint32' | 'int64' | 'uint64' | 'string' | 'bytes' | MessageType;

/** The fields of a message by name, with their numbers in the .proto file. */
export interface MessageType {
  readonly [name: string]: readonly [number: number, kind: Kind, repeated?: 'repeated'];
}

type Value<K> = K extends 'bool'
  ? boolean
  : K extends 'string'
    ? string
    : K extends 'int32' | 'uint32'
      ? number
      : K extends 'int64' | 'uint64'
        ? bigint
        : K extends 'bytes'
          ? Uint8Array
          : K extends MessageType
            ? Message<K>
            : never;

/** A message of this type in TypeScript; every field may be absent. */
export type Message<Type extends MessageType> = {
  -readonly [Name in keyof Type]?: Type[Name] extends readonly [number, infer K, 'repeated']
    ? readonly Value<K>[]
    : Value<Type[Name][1]>;
};

export function encode<Type extends MessageType>(type: Type, message: Message<Type>): Uint8Array {
  const writer = new BinaryWriter((text) => Buffer.from(text));
  write(writer, type, message);
  return writer.finish();
}

function write(writer: BinaryWriter, type: MessageType, message: object): void {
  for (const [name, value] of Object.entries(message)) {
    const field = type[name];
    if (field === undefined || value === undefined) continue;
    const [number, kind, repeated] = field;
    for (const each of repeated ? (value as unknown[]) : [value]) writeField(writer, number, kind, each);
  }
}

function writeField(writer: BinaryWriter, number: number, kind: Kind, value: unknown): void {
  if (kind === 'string') writer.tag(number, WireType.LengthDelimited).string(value as string);
  else if (kind === 'bytes') writer.tag(number, WireType.LengthDelimited).bytes(value as Uint8Array);
  else if (kind === 'int64') writer.tag(number, WireType.Varint).int64(value as bigint);
  else if (kind === 'uint64') writer.tag(number, WireType.Varint).uint64(value as bigint);
  else if (kind === 'bool') writer.tag(number, WireType.Varint).bool(value as boolean);
  else if (kind === 'int32') writer.tag(number, WireType.Varint).int32(value as number);
  else if (kind === 'uint32') writer.tag(number, WireType.Varint).uint32(value as number);
  else {
    writer.tag(number, WireType.LengthDelimited).fork();
    write(writer, kind, value as object);
    writer.join();
  }
}

/** @throws Error for bytes that are not a message */
export function decode<Type extends MessageType>(type: Type, bytes: Uint8Array): Message<Type> {
  return read(reader(bytes), bytes.length, type) as Message<Type>;
}

function reader(bytes: Uint8Array): BinaryReader {
  return new BinaryReader(bytes, (part) => Buffer.from(part).toString());
}

function read(from: BinaryReader, end: number, type: MessageType): object {
  const fields = new Map(
    Object.entries(type).map(([name, [number, kind, repeated]]) => [number, { name, kind, repeated }]),
  );
  const message: Record<string, unknown> = {};
  while (from.pos < end) {
    const [number, wire] = from.tag();
    const field = fields.get(number);
    if (field === undefined) {
      from.skip(wire, number);
      continue;
    }
    const { name, kind, repeated } = field;
    const value = readField(from, kind);
    if (repeated) {
      message[name] ??= [];
      (message[name] as unknown[]).push(value);
    } else message[name] = value;
  }
  return message;
}

function readField(from: BinaryReader, kind: Kind): unknown {
  if (kind === 'string') return from.string();
  if (kind === 'bool') return from.bool();
  if (kind === 'int32') return from.int32();
  if (kind === 'uint32') return from.uint32();
  if (kind === 'int64') return BigInt(from.int64());
  if (kind === 'uint64') return BigInt(from.uint64());
  const bytes = from.bytes();
  if (kind === 'bytes') return bytes;
  return read(reader(bytes), bytes.length, kind);
}
