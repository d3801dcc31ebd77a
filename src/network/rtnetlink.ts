import { addon } from '../addon.ts';
import { closeQuietly } from '../close.ts';
import {
  type Address,
  addressAttribute,
  addressMessage,
  alternativeNameAttribute,
  type Link,
  linkAttribute,
  linkMessage,
  linkUp,
  messageType,
  numberAttribute,
  parseAddresses,
  parseLinks,
  requestFlag,
  textAttribute,
} from './messages.ts';

/**
 * The kernel itself sets all others, or they must be found out again in another namespace: IFA_F_PERMANENT, _TENTATIVE,
 * _DADFAILED, …
 */
const settableFlags = 0x02 | 0x10 | 0x100 | 0x200 | 0x400;

/** The devices and addresses of one network namespace. Every method throws what the addon throws. */
export class Rtnetlink {
  private readonly socket: number;

  /** @param networkNamespace a descriptor, or -1 for this process's own */
  constructor(networkNamespace: number) {
    this.socket = addon().netlinkOpen(networkNamespace);
  }

  close(): void {
    closeQuietly(this.socket);
  }

  /** @throws Error with code ENODEV when there is no such device */
  link(name: string): Link {
    const request = linkMessage(messageType.getLink, requestFlag.ack, {}, [textAttribute(linkAttribute.name, name)]);
    const [link] = parseLinks(this.request(request));
    if (link === undefined) throw new Error(`no answer about the device ${name}`);
    return link;
  }

  links(): Link[] {
    return parseLinks(this.request(linkMessage(messageType.getLink, requestFlag.dump, {})));
  }

  addresses(index: number): Address[] {
    const everything = { family: 0, prefixLength: 0, scope: 0, index: 0, attributes: [] };
    const reply = this.request(addressMessage(messageType.getAddress, requestFlag.dump, everything));
    return parseAddresses(reply).filter((address) => address.index === index);
  }

  /** Moves a device into another network namespace, under this name. */
  move(index: number, networkNamespace: number, name: string): void {
    const attributes = [
      numberAttribute(linkAttribute.namespaceFd, networkNamespace),
      textAttribute(linkAttribute.name, name),
    ];
    this.request(linkMessage(messageType.newLink, requestFlag.ack, { index }, attributes));
  }

  addAlternativeName(index: number, name: string): void {
    const flags = requestFlag.ack | requestFlag.create | requestFlag.exclusive;
    this.request(linkMessage(messageType.newLinkProperty, flags, { index }, [alternativeNameAttribute(name)]));
  }

  removeAlternativeName(index: number, name: string): void {
    const attributes = [alternativeNameAttribute(name)];
    this.request(linkMessage(messageType.deleteLinkProperty, requestFlag.ack, { index }, attributes));
  }

  setUp(index: number): void {
    this.request(linkMessage(messageType.newLink, requestFlag.ack, { index, set: linkUp, change: linkUp }));
  }

  /** Gives a device an address that another one had, with everything that belongs to it: peer, broadcast, metric. */
  addAddress(index: number, address: Address, label: string): void {
    const kept: readonly number[] = [
      addressAttribute.address,
      addressAttribute.local,
      addressAttribute.broadcast,
      addressAttribute.priority,
    ];
    const attributes = [
      ...address.attributes.filter(([type]) => kept.includes(type)),
      numberAttribute(addressAttribute.flags, address.flags & settableFlags),
    ];
    const hasLabel = address.attributes.some(([type]) => type === addressAttribute.label);
    if (hasLabel) attributes.push(textAttribute(addressAttribute.label, label));
    const flags = requestFlag.ack | requestFlag.create | requestFlag.exclusive;
    this.request(addressMessage(messageType.newAddress, flags, { ...address, index, attributes }));
  }

  private request(message: Buffer): Buffer {
    return addon().netlinkRequest(this.socket, message);
  }
}
