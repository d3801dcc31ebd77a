/** Composes and reads rtnetlink(7) messages, in host byte order, which is little-endian wherever Node runs on Linux. */

/** Message types from linux/rtnetlink.h. */
export const messageType = {
  newLink: 16,
  getLink: 18,
  newLinkProperty: 108,
  deleteLinkProperty: 109,
  newAddress: 20,
  getAddress: 22,
} as const;

/** Flags from linux/netlink.h. */
export const requestFlag = { request: 1, ack: 4, dump: 0x300, create: 0x400, exclusive: 0x200 } as const;

/** IFLA_* from linux/if_link.h. */
export const linkAttribute = { name: 3, namespaceFd: 28, properties: 52, alternativeName: 53 } as const;

/** NLA_F_NESTED from linux/netlink.h: the value consists of attributes. */
const nested = 0x8000;

/** IFA_* from linux/if_addr.h. */
export const addressAttribute = { address: 1, local: 2, label: 3, broadcast: 4, flags: 8, priority: 9 } as const;

export const linkUp = 1;

const headerSize = 16;
const linkHeaderSize = 16;
const addressHeaderSize = 8;
const attributeHeaderSize = 4;

/** A type, and the bytes of the value. */
export type Attribute = readonly [type: number, value: Uint8Array];

export interface Link {
  index: number;
  flags: number;
  name: string;
  /** Its other names (ip-link(8), altname); no other device of the namespace can have them. */
  alternativeNames: string[];
}

export interface Address {
  /** AF_INET or AF_INET6. */
  family: number;
  prefixLength: number;
  scope: number;
  /** Index of the device. */
  index: number;
  /** IFA_F_*. */
  flags: number;
  attributes: readonly Attribute[];
}

/** struct ifinfomsg with attributes. */
export function linkMessage(
  type: number,
  flags: number,
  { index = 0, set = 0, change = 0 }: { index?: number; set?: number; change?: number },
  attributes: readonly Attribute[] = [],
): Buffer {
  const body = Buffer.alloc(linkHeaderSize);
  body.writeInt32LE(index, 4);
  body.writeUInt32LE(set, 8);
  body.writeUInt32LE(change, 12);
  return message(type, flags, body, attributes);
}

/** struct ifaddrmsg with attributes. */
export function addressMessage(type: number, flags: number, address: Omit<Address, 'flags'>): Buffer {
  const body = Buffer.alloc(addressHeaderSize);
  body.writeUInt8(address.family, 0);
  body.writeUInt8(address.prefixLength, 1);
  body.writeUInt8(address.scope, 3);
  body.writeUInt32LE(address.index, 4);
  return message(type, flags, body, address.attributes);
}

export function textAttribute(type: number, text: string): Attribute {
  return [type, Buffer.from(`${text}\0`)];
}

/** For RTM_NEWLINKPROP and RTM_DELLINKPROP. */
export function alternativeNameAttribute(name: string): Attribute {
  return [linkAttribute.properties | nested, encodeAttribute(textAttribute(linkAttribute.alternativeName, name))];
}

export function numberAttribute(type: number, value: number): Attribute {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return [type, bytes];
}

/** @throws RangeError when a message or an attribute does not fit into what contains it */
export function parseLinks(reply: Buffer): Link[] {
  return messagesOf(reply, messageType.newLink).map((body) => {
    const attributes = attributesOf(body, linkHeaderSize);
    const name = attributes.find(([type]) => type === linkAttribute.name)?.[1];
    const properties = attributes.find(([type]) => (type & ~nested) === linkAttribute.properties)?.[1] ?? [];
    const alternativeNames = attributesOf(Buffer.from(properties), 0).map(([, value]) => textOf(value));
    return { index: body.readInt32LE(4), flags: body.readUInt32LE(8), name: textOf(name), alternativeNames };
  });
}

/** @throws RangeError like parseLinks */
export function parseAddresses(reply: Buffer): Address[] {
  return messagesOf(reply, messageType.newAddress).map((body) => {
    const attributes = attributesOf(body, addressHeaderSize);
    // The header only has room for the first eight flags.
    const all = attributes.find(([type]) => type === addressAttribute.flags)?.[1];
    return {
      family: body.readUInt8(0),
      prefixLength: body.readUInt8(1),
      flags: all === undefined ? body.readUInt8(2) : Buffer.from(all).readUInt32LE(0),
      scope: body.readUInt8(3),
      index: body.readUInt32LE(4),
      attributes,
    };
  });
}

function message(type: number, flags: number, body: Buffer, attributes: readonly Attribute[]): Buffer {
  const parts = [body, ...attributes.map(encodeAttribute)];
  const header = Buffer.alloc(headerSize);
  header.writeUInt32LE(headerSize + parts.reduce((sum, part) => sum + part.length, 0), 0);
  header.writeUInt16LE(type, 4);
  header.writeUInt16LE(flags | requestFlag.request, 6);
  return Buffer.concat([header, ...parts]);
}

function encodeAttribute([type, value]: Attribute): Buffer {
  const size = attributeHeaderSize + value.length;
  const bytes = Buffer.alloc(align(size));
  bytes.writeUInt16LE(size, 0);
  bytes.writeUInt16LE(type, 2);
  bytes.set(value, attributeHeaderSize);
  return bytes;
}

/** The bodies of the messages of one type. */
function messagesOf(reply: Buffer, wanted: number): Buffer[] {
  return splitMessages(reply).flatMap(({ type, body }) => (type === wanted ? [body] : []));
}

/** Messages of any type, joined without padding. @throws RangeError like parseLinks */
export function splitMessages(bytes: Buffer): { readonly type: number; readonly body: Buffer }[] {
  const found = [];
  for (let at = 0; at < bytes.length; ) {
    const size = checkedSize(bytes.readUInt32LE(at), headerSize, bytes.length - at);
    found.push({ type: bytes.readUInt16LE(at + 4), body: bytes.subarray(at + headerSize, at + size) });
    at += size;
  }
  return found;
}

/** @param from where they begin: the size of the struct before them. @throws RangeError like parseLinks */
export function attributesOf(body: Buffer, from: number): Attribute[] {
  const attributes: Attribute[] = [];
  let at = from;
  while (at + attributeHeaderSize <= body.length) {
    const size = checkedSize(body.readUInt16LE(at), attributeHeaderSize, body.length - at);
    attributes.push([body.readUInt16LE(at + 2), body.subarray(at + attributeHeaderSize, at + size)]);
    at += align(size);
  }
  return attributes;
}

function checkedSize(size: number, least: number, most: number): number {
  if (size < least || size > most) throw new RangeError(`a netlink length of ${size} in ${most} bytes`);
  return size;
}

function align(size: number): number {
  return (size + 3) & ~3;
}

function textOf(bytes: Uint8Array | undefined): string {
  return Buffer.from(bytes ?? [])
    .toString()
    .replace(/\0.*$/s, '');
}
