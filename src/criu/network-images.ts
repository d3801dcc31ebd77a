/** Images of a network namespace with nothing in them that a new one does not have. */
import { readdirSync, readFileSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { type Attribute, addressAttribute, attributesOf, messageType, splitMessages } from '../network/messages.ts';

/** Length of the magic numbers before what `ip … save` writes. */
const magicSize = 4;

/** From linux/rtnetlink.h, linux/fib_rules.h and linux/if_addr.h. */
const newRule = 32;
const ruleHeaderSize = 12;
const addressHeaderSize = 8;
const ofRule = { priority: 6, suppressPrefixLength: 14, table: 15, protocol: 21 } as const;
const { broadcast: _broadcast, priority: _priority, ...usual } = addressAttribute;
const ofAddress = { ...usual, lifetimes: 6, protocol: 11 } as const;

/** What the kernel gives a new namespace, as `ip rule` shows it (fib_default_rules_init). */
const defaultRules = ['0 255', '32766 254', '32767 253'];
/** What it gives `lo` when that goes up. */
const loopbackAddresses = ['2/8 7f000001', '10/128 00000000000000000000000000000001'];

/**
 * Removes those whose content every new network namespace has by itself. CRIU (4.2.1) starts one to three programs for
 * each at a restore, and for the empty ones of iptables it demands iptables' old variant. A missing image is one that has
 * nothing to restore.
 */
export function forgetDefaultNetwork(directory: string): void {
  for (const name of readdirSync(directory)) {
    const kind = /^(ip6?tables|route6?|rule|ifaddr)-\d+\.img$/.exec(name)?.[1];
    if (kind === undefined) continue;
    const path = join(directory, name);
    if (hasOnlyDefaults(kind, readFileSync(path))) unlinkSync(path);
  }
}

export function hasOnlyDefaults(kind: string, image: Buffer): boolean {
  if (kind.endsWith('tables')) return image.length === 0;
  if (image.length < magicSize) return false;
  try {
    const messages = splitMessages(image.subarray(magicSize));
    if (kind === 'rule') return isSame(messages.map(describeRule), defaultRules);
    if (kind === 'ifaddr') return isSame(messages.map(describeAddress), loopbackAddresses);
    return messages.length === 0;
  } catch (error) {
    // It is damaged, which a restore finds out.
    if (error instanceof RangeError) return false;
    throw error;
  }
}

function isSame(found: readonly (string | undefined)[], wanted: readonly string[]): boolean {
  return found.length === wanted.length && wanted.every((each, index) => found[index] === each);
}

type NetlinkMessage = ReturnType<typeof splitMessages>[number];

/** `PRIORITY TABLE` of a rule of the kernel's own for IPv4 that is for all packets; undefined for any other. */
function describeRule({ type, body }: NetlinkMessage): string | undefined {
  if (type !== newRule || body.length < ruleHeaderSize) return undefined;
  // Lengths of the addresses, type of service, table, two that are unused, "look up in a table", no flags.
  const header = body.subarray(0, ruleHeaderSize).toString('hex');
  if (!/^02000000..00000100000000$/.test(header)) return undefined;
  const attributes = bytesByType(attributesOf(body, ruleHeaderSize));
  if (!hasOnly(attributes, Object.values(ofRule))) return undefined;
  const suppress = attributes.get(ofRule.suppressPrefixLength)?.toString('hex');
  // RTPROT_KERNEL
  if (suppress !== 'ffffffff' || attributes.get(ofRule.protocol)?.toString('hex') !== '02') return undefined;
  return `${attributes.get(ofRule.priority)?.readUInt32LE() ?? 0} ${attributes.get(ofRule.table)?.readUInt32LE()}`;
}

/** `FAMILY/LENGTH ADDRESS` of a lasting address of `lo` without anything special; undefined for any other. */
function describeAddress({ type, body }: NetlinkMessage): string | undefined {
  if (type !== messageType.newAddress || body.length < addressHeaderSize) return undefined;
  const [family, length, flags, scope] = body;
  // IFA_F_PERMANENT, RT_SCOPE_HOST, and the first interface.
  if (flags !== 0x80 || scope !== 254 || body.readUInt32LE(4) !== 1) return undefined;
  const attributes = bytesByType(attributesOf(body, addressHeaderSize));
  if (!hasOnly(attributes, Object.values(ofAddress))) return undefined;
  const address = attributes.get(ofAddress.address)?.toString('hex');
  const isUsual =
    (attributes.get(ofAddress.local)?.toString('hex') ?? address) === address &&
    (attributes.get(ofAddress.label)?.toString() ?? 'lo\0') === 'lo\0' &&
    attributes.get(ofAddress.flags)?.toString('hex') === '80000000' &&
    attributes.get(ofAddress.lifetimes)?.subarray(0, 8).toString('hex') === 'ffffffffffffffff';
  return isUsual ? `${family}/${length} ${address}` : undefined;
}

function bytesByType(attributes: readonly Attribute[]): Map<number, Buffer> {
  return new Map(attributes.map(([type, value]) => [type, Buffer.from(value)]));
}

function hasOnly(attributes: ReadonlyMap<number, Buffer>, known: readonly number[]): boolean {
  return [...attributes.keys()].every((each) => known.includes(each));
}
