/** Names for the numbers in ops: modes, flags, capabilities, masks. */
import type { DeviceRule, Op, UnitProperty } from '../generated/ops.ts';
import { capabilityBit, capabilityNames } from '../linux/capabilities.ts';
import { formatDeviceRule } from '../linux/device-rules.ts';
import { attr, propagationFlags, superblock } from '../linux/mount-constants.ts';
import { namespaceFlags } from '../linux/namespaces.ts';
import { schedulerFlags } from '../linux/scheduler.ts';
import { flags as seccompFlags } from '../linux/seccomp.ts';
import { formatProperty } from '../systemd/property.ts';

type Bits = readonly (readonly [bit: bigint, name: string])[];

/** Shows a field of an op as text; undefined if another field of the op says the same, or if it has its usual value. */
export type Naming = (value: never, op: Op) => string | undefined;

const mountAttributes = bitsOf({
  ro: attr.rdonly,
  nosuid: attr.nosuid,
  nodev: attr.nodev,
  noexec: attr.noexec,
  nodiratime: attr.nodiratime,
  nosymfollow: attr.nosymfollow,
});

/** The access time setting is a number, not flags: 0 is relatime. */
const accessTimes: Readonly<Record<number, string>> = { [attr.noatime]: 'noatime', [attr.strictatime]: 'strictatime' };

/** MS_* of mount(2), with the names of mount(8). */
const filesystemFlags = bitsOf({
  ro: superblock.rdonly,
  sync: superblock.synchronous,
  mand: superblock.mandlock,
  dirsync: superblock.dirsync,
  silent: superblock.silent,
  iversion: superblock.iversion,
  lazytime: superblock.lazytime,
});

const filterFlags = bitsOf(valuesOf(seccompFlags));
const schedulingFlags = bitsOf(valuesOf(schedulerFlags));
const namespaces = bitsOf(namespaceFlags);
const propagations = bitsOf(propagationFlags);
const capabilities: Bits = capabilityNames.map((name) => [capabilityBit(name), name]);

/** File types of stat(2), with the letters of linux.devices. */
const fileTypes: Readonly<Record<number, string>> = { 2: 'c', 6: 'b', 1: 'p' };

const unlimited = 2n ** 64n - 1n;

/** `ro,nosuid,noatime`. Access times can only be cleared as a whole. */
export function mountAttributeNames(value: number | bigint): string | undefined {
  const times = Number(value) & attr.atimeMask;
  const names = namesOf(mountAttributes, BigInt(value) & ~BigInt(attr.atimeMask));
  const time = times === attr.atimeMask ? 'atime' : accessTimes[times];
  return [names, time].filter(Boolean).join(',') || undefined;
}

/** `private`, or `rprivate` if it also applies to all mounts below. */
export function propagationName(value: number | bigint, recursive: boolean): string | undefined {
  const name = namesOf(propagations, BigInt(value) & ~0x4000n);
  return name === undefined ? undefined : `${recursive ? 'r' : ''}${name}`;
}

export function capabilityList(value: number | bigint): string {
  const set = BigInt(value);
  if (set === 0n) return 'none';
  return namesOf(capabilities, set) ?? 'none';
}

/** `0666 c`: the permissions, and the type's letter if there is one. */
export function modeName(value: number | bigint): string {
  const mode = Number(value);
  const type = fileTypes[mode >> 12];
  const permissions = mode & 0o7777;
  const octal = `0${permissions.toString(8).padStart(3, '0')}`;
  if (type === undefined) return octal;
  return permissions === 0 ? type : `${octal} ${type}`;
}

const attributes: Naming = mountAttributeNames;
const propagation: Naming = (value: number | bigint, op) => propagationName(value, 'recursive' in op && op.recursive);
const hidden: Naming = () => undefined;
const limit: Naming = (value: number | bigint) => (BigInt(value) === unlimited ? 'unlimited' : String(value));
const filter: Naming = (value: number | bigint) => namesOf(filterFlags, BigInt(value));
/** If the op lists the names, the number adds nothing. */
const cloned: Naming = (value: number | bigint, op) => {
  return 'namespaces' in op && op.namespaces.length > 0 ? undefined : namesOf(namespaces, BigInt(value));
};

/** Only fields that the op has: any other name does not compile. */
type Namings<Each extends Op> = { readonly [Field in keyof Each]?: Naming };

/** By op and field. A field that is not listed is shown as it is. */
const namings: { readonly [Name in Op['op']]?: Namings<Extract<Op, { op: Name }>> } = {
  'start-scope': { properties: (value: readonly UnitProperty[]) => value.map(formatProperty).join('; ') },
  'filter-devices': { rules: (value: readonly DeviceRule[]) => value.map(formatDeviceRule).join('; ') },
  clone: { flags: cloned },
  unshare: { flags: cloned },
  'fork-child': { flags: cloned },
  'join-container': { flags: cloned },
  'join-namespace': { flag: hidden },
  'set-scheduler': {
    number: hidden,
    flags: (value: number | bigint) => namesOf(schedulingFlags, BigInt(value)),
  },
  'set-io-priority': { value: hidden },
  'set-own-cpu-affinity': { mask: hidden },
  'set-cpu-affinity': { mask: hidden },
  'raise-hard-limit': { resource: hidden, hard: limit },
  'set-rlimit': { resource: hidden, soft: limit, hard: limit },
  'set-propagation': { propagation: (value: string, op) => recursiveName(value, op), flags: hidden, recursive: hidden },
  'set-root-propagation': {
    propagation: (value: string, op) => recursiveName(value, op),
    flags: hidden,
    recursive: hidden,
  },
  'bind-rootfs': { propagation },
  'enter-small-mounts': { propagation },
  'bind-mapped-rootfs': { propagation },
  'new-filesystem': { attributes, fallbackAttributes: attributes },
  'mount-by-flags': { flags: (value: number | bigint) => namesOf(filesystemFlags, BigInt(value)) },
  'set-mount-attributes': { set: attributes, clear: attributes, propagation },
  'make-device': { mode: modeName },
  'make-node': { mode: modeName },
  'bind-device': { mode: modeName },
  'filter-hooks': { flags: filter },
  'load-seccomp': { flags: filter },
  'set-memory-policy': { mode: hidden, nodes: (value: readonly (number | bigint)[]) => numberList(value) },
  'set-personality': { persona: hidden },
  'bound-capabilities': { bounding: capabilityList },
  'set-capabilities': {
    effective: capabilityList,
    permitted: capabilityList,
    inheritable: capabilityList,
    ambient: capabilityList,
    kept: (value: number | bigint) => (BigInt(value) === 0n ? undefined : capabilityList(value)),
  },
  'set-umask': { mask: modeName },
};

/** Returns the naming of a field; undefined if the field is shown as it is. */
export function namingOf(op: Op, field: string): Naming | undefined {
  return (namings[op.op] as Readonly<Record<string, Naming>> | undefined)?.[field];
}

function recursiveName(name: string, op: Op): string {
  return 'recursive' in op && op.recursive ? `r${name}` : name;
}

/** A mask in words of 64 bits, in the format of cpuset(7): `0-3,7`. */
export function numberList(words: readonly (number | bigint)[]): string {
  const numbers = words.flatMap((word, index) => {
    return [...Array(64).keys()].filter((bit) => (BigInt(word) >> BigInt(bit)) & 1n).map((bit) => 64 * index + bit);
  });
  const ranges: [first: number, last: number][] = [];
  for (const number of numbers) {
    const range = ranges.at(-1);
    if (range !== undefined && range[1] === number - 1) range[1] = number;
    else ranges.push([number, number]);
  }
  return ranges.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join();
}

/** The names of all set bits, and a number for bits without a name; undefined if none is set. */
function namesOf(bits: Bits, value: bigint): string | undefined {
  const names = bits.filter(([bit]) => (value & bit) !== 0n).map(([, name]) => name);
  const rest = bits.reduce((left, [bit]) => left & ~bit, value);
  if (rest !== 0n) names.push(`0x${rest.toString(16)}`);
  return names.length === 0 ? undefined : names.join();
}

function bitsOf(values: Readonly<Record<string, number>>): Bits {
  return Object.entries(values).map(([name, bit]) => [BigInt(bit), name]);
}

function valuesOf(table: Readonly<Record<string, { value: number }>>): Record<string, number> {
  return Object.fromEntries(Object.entries(table).map(([name, { value }]) => [name, value]));
}
