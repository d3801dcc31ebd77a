import type { Op } from '../../generated/ops.ts';
import { type Context, namespaceOf } from '../context.ts';
import { isUnfiltered, mknod } from '../limits/unfiltered.ts';
import { keptForSeccomp } from './seccomp.ts';

/** capabilities(7), in the order of their numbers. */
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

type SetName = 'bounding' | 'effective' | 'permitted' | 'inheritable' | 'ambient';

/**
 * config.md, Linux Process, capabilities. "Any value which cannot be mapped to a relevant kernel interface, or cannot
 * be granted otherwise, MUST be logged as a warning […] runtimes SHOULD NOT fail".
 */
export function lowerCapabilities(context: Context): { beforeUser: Op[]; afterUser: Op[] } {
  const from = '/process/capabilities';
  const refused = new Set<string>();
  const mask = (name: SetName) => capabilityMask(context, name, refused);
  // capset(2) refuses all of it when one set has what another lacks; validation warns of these.
  const bounding = mask('bounding');
  const permitted = mask('permitted');
  const effective = mask('effective') & permitted;
  const inheritable = mask('inheritable') & bounding;
  const ambient = mask('ambient') & permitted & inheritable;
  const kept = keptForSeccomp(context);
  return {
    beforeUser: [{ op: 'bound-capabilities', by: 'init', from: `${from}/bounding`, bounding }],
    afterUser: [{ op: 'set-capabilities', by: 'init', from, effective, permitted, inheritable, ambient, kept }],
  };
}

/** @param refused capabilities that have been warned of, whichever set they were in */
function capabilityMask(context: Context, set: SetName, refused: Set<string>): bigint {
  const { spec, warnings } = context;
  const grantable = grantableCapabilities(context);
  const withheld = isUnfiltered(context) ? mknod : 0n;
  let mask = 0n;
  for (const name of spec.process?.capabilities?.[set] ?? []) {
    const number = (capabilityNames as readonly string[]).indexOf(name);
    const bit = 1n << BigInt(Math.max(number, 0));
    const problem = number < 0 ? 'is unknown' : refusalOf(bit, grantable, withheld);
    if (problem === undefined) {
      mask |= bit;
      continue;
    }
    if (!refused.has(name)) warnings.push(`process.capabilities: ${name} ${problem} and is left out`);
    refused.add(name);
  }
  return mask;
}

function refusalOf(bit: bigint, grantable: bigint, withheld: bigint): string | undefined {
  if ((bit & withheld) !== 0n) return 'would give it the host’s devices, as no cgroup means no device filter,';
  return (bit & grantable) === 0n ? 'cannot be granted here' : undefined;
}

/** A process has every capability in a user namespace that it makes or joins, else what the runtime has. */
function grantableCapabilities(context: Context): bigint {
  if (namespaceOf(context, 'user') === undefined) return context.host.capabilities;
  return (1n << BigInt(context.host.lastCapability + 1)) - 1n;
}
