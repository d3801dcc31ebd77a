/** The names in capabilities(7), in the order of their numbers. */
export const capabilityNames = [
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_DAC_READ_SEARCH',
  'CAP_FOWNER',
  'CAP_FSETID',
  'CAP_KILL',
  'CAP_SETGID',
  'CAP_SETUID',
  'CAP_SETPCAP',
  'CAP_LINUX_IMMUTABLE',
  'CAP_NET_BIND_SERVICE',
  'CAP_NET_BROADCAST',
  'CAP_NET_ADMIN',
  'CAP_NET_RAW',
  'CAP_IPC_LOCK',
  'CAP_IPC_OWNER',
  'CAP_SYS_MODULE',
  'CAP_SYS_RAWIO',
  'CAP_SYS_CHROOT',
  'CAP_SYS_PTRACE',
  'CAP_SYS_PACCT',
  'CAP_SYS_ADMIN',
  'CAP_SYS_BOOT',
  'CAP_SYS_NICE',
  'CAP_SYS_RESOURCE',
  'CAP_SYS_TIME',
  'CAP_SYS_TTY_CONFIG',
  'CAP_MKNOD',
  'CAP_LEASE',
  'CAP_AUDIT_WRITE',
  'CAP_AUDIT_CONTROL',
  'CAP_SETFCAP',
  'CAP_MAC_OVERRIDE',
  'CAP_MAC_ADMIN',
  'CAP_SYSLOG',
  'CAP_WAKE_ALARM',
  'CAP_BLOCK_SUSPEND',
  'CAP_AUDIT_READ',
  'CAP_PERFMON',
  'CAP_BPF',
  'CAP_CHECKPOINT_RESTORE',
] as const;

export type Capability = (typeof capabilityNames)[number];

const bits = new Map<string, bigint>(capabilityNames.map((name, number) => [name, 1n << BigInt(number)]));

/** Its bit in a set of capabilities, as /proc/PID/status and capset(2) have it; undefined for an unknown name. */
export function capabilityBit(name: Capability): bigint;
export function capabilityBit(name: string): bigint | undefined;
export function capabilityBit(name: string): bigint | undefined {
  return bits.get(name);
}

export function hasCapability(set: bigint, name: Capability): boolean {
  return (set & capabilityBit(name)) !== 0n;
}

/** The names of a set's bits, in the order of their numbers. */
export function capabilitiesIn(set: bigint): Capability[] {
  return capabilityNames.filter((name) => hasCapability(set, name));
}
