/**
 * The part of protocol buffers that the CRI needs: messages of strings, bytes, integers, booleans, enums, messages,
 * repeated fields and maps of strings. Objects have the names of the .proto file; an absent field has its default.
 * https://protobuf.dev/programming-guides/encoding/
 */

export type Message = Record<string, unknown>;

interface Field {
  name: string;
  number: number;
  type: string;
  repeated: boolean;
}

const varint = 0;
const delimited = 2;
const integers = ['bool', 'int32', 'int64', 'uint32', 'uint64', 'enum'];
const mapEntry: Field[] = [
  { name: 'key', number: 1, type: 'string', repeated: false },
  { name: 'value', number: 2, type: 'string', repeated: false },
];

export class Proto {
  readonly #messages = new Map<string, Field[]>();

  /** @param text `message NAME { TYPE NAME = NUMBER; … }` without nesting; enums are written as `enum NAME = NUMBER;` */
  constructor(text: string) {
    for (const [, name = '', body = ''] of text.matchAll(/^message (\w+) \{([^}]*)\}/gm)) {
      const fields = body.matchAll(/(repeated )?(map<string, string>|\w+) (\w+) = (\d+);/g);
      this.#messages.set(
        name,
        [...fields].map(([, repeated, type = '', field = '', number]) => ({
          name: field,
          number: Number(number),
          type,
          repeated: repeated !== undefined,
        })),
      );
    }
  }

  encode(type: string, message: Message): Buffer {
    return encodeFields(this.#fields(type), message, (child, value) => this.encode(child, value));
  }

  decode(type: string, bytes: Buffer): Message {
    const fields = this.#fields(type);
    const message: Message = {};
    for (const { repeated, name, type } of fields)
      if (repeated || type.startsWith('map')) message[name] = repeated ? [] : {};
    for (const { number, value } of records(bytes)) {
      const field = fields.find((candidate) => candidate.number === number);
      if (field !== undefined) this.#add(message, field, value);
    }
    return message;
  }

  #add(message: Message, field: Field, raw: bigint | Buffer): void {
    const { name, type, repeated } = field;
    if (type.startsWith('map')) {
      const [key, value] = [...records(raw as Buffer)].map((record) => record.value.toString());
      Object.assign(message[name] as Message, { [key ?? '']: value ?? '' });
      return;
    }
    const value = this.#value(type, raw);
    if (repeated) (message[name] as unknown[]).push(value);
    else message[name] = value;
  }

  #value(type: string, raw: bigint | Buffer): unknown {
    if (type === 'bool') return raw !== 0n;
    if (integers.includes(type)) return Number(BigInt.asIntN(64, raw as bigint));
    if (type === 'string') return raw.toString();
    return type === 'bytes' ? raw : this.decode(type, raw as Buffer);
  }

  #fields(type: string): Field[] {
    const fields = this.#messages.get(type);
    if (fields === undefined) throw new Error(`no message ${type} in the .proto file`);
    return fields;
  }
}

type EncodeMessage = (type: string, message: Message) => Buffer;

function encodeFields(fields: Field[], message: Message, encodeMessage: EncodeMessage): Buffer {
  const parts = Object.entries(message).flatMap(([name, value]) => {
    const field = fields.find((candidate) => candidate.name === name);
    if (field === undefined) throw new Error(`no field ${name} in the .proto file`);
    if (value === undefined) return [];
    if (field.type.startsWith('map')) {
      const entries = Object.entries(value as Record<string, string>);
      return entries.map(([key, text]) => block(field, encodeFields(mapEntry, { key, value: text }, encodeMessage)));
    }
    const values = field.repeated ? (value as unknown[]) : [value];
    return values.map((one) => encodeValue(field, one, encodeMessage));
  });
  return Buffer.concat(parts);
}

function encodeValue(field: Field, value: unknown, encodeMessage: EncodeMessage): Buffer {
  if (integers.includes(field.type)) {
    return Buffer.concat([tag(field, varint), encodeVarint(BigInt(value as number | boolean))]);
  }
  if (field.type === 'string') return block(field, Buffer.from(value as string));
  return block(field, field.type === 'bytes' ? (value as Buffer) : encodeMessage(field.type, value as Message));
}

function block(field: Field, bytes: Buffer): Buffer {
  return Buffer.concat([tag(field, delimited), encodeVarint(BigInt(bytes.length)), bytes]);
}

function tag({ number }: Field, wireType: number): Buffer {
  return encodeVarint(BigInt(number * 8 + wireType));
}

function encodeVarint(value: bigint): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return Buffer.from([...bytes, Number(rest)]);
}

function* records(bytes: Buffer): Generator<{ number: number; value: bigint | Buffer }> {
  let at = 0;
  const readVarint = () => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes.readUInt8(at++);
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const head = Number(readVarint());
    const wireType = head & 7;
    if (wireType !== varint && wireType !== delimited) throw new Error(`wire type ${wireType} is not supported`);
    const value = readVarint();
    if (wireType === delimited) at += Number(value);
    yield { number: head >> 3, value: wireType === varint ? value : bytes.subarray(at - Number(value), at) };
  }
}
