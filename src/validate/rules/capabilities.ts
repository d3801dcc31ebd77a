/**
 * Capabilities (config.md; capabilities(7)). Only warnings: the specification has a capability that is unknown or cannot
 * be granted reported, and the container run without it.
 */
import type { LinuxCapabilities, Spec } from '../../generated/spec.ts';
import { type Problem, show } from '../finding.ts';
import { didYouMean } from '../suggest.ts';
import type { Rule } from './rule.ts';

/** As capabilities(7) has them, in the order of their numbers in linux/capability.h. */
const names =
  'CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE ' +
  'NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN ' +
  'SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE ' +
  'MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE';

type CapabilitySet = keyof LinuxCapabilities;

export const capabilityWarnings: Rule[] = [
  {
    name: 'capability-unknown',
    reads: ['/process/capabilities'],
    check: (spec) => {
      const known = new Set(names.split(' ').map((name) => `CAP_${name}`));
      return eachCapability(spec, (capability) => {
        if (known.has(capability)) return undefined;
        const message = `unknown capability ${show(capability)}, not granted`;
        return { message, hint: didYouMean(capability, [...known]) };
      });
    },
  },
  {
    name: 'capability-not-permitted',
    reads: ['/process/capabilities'],
    check: (spec) => notIn(spec, 'effective', 'permitted', 'so the process does not have it'),
  },
  {
    name: 'capability-ambient',
    reads: ['/process/capabilities'],
    check: (spec) => [
      ...notIn(spec, 'ambient', 'permitted', 'so the kernel does not raise it'),
      ...notIn(spec, 'ambient', 'inheritable', 'so the kernel does not raise it'),
    ],
  },
];

function eachCapability(spec: Spec, check: (capability: string) => Omit<Problem, 'pointer'> | undefined): Problem[] {
  const problems: Problem[] = [];
  for (const [set, list] of Object.entries(spec.process?.capabilities ?? {})) {
    for (const [index, capability] of list.entries()) {
      const problem = check(capability);
      if (problem !== undefined) problems.push({ pointer: `/process/capabilities/${set}/${index}`, ...problem });
    }
  }
  return problems;
}

/** A warning for each capability of one set that is missing from another, which the kernel needs it in. */
function notIn(spec: Spec, set: CapabilitySet, needed: CapabilitySet, effect: string): Problem[] {
  const capabilities = spec.process?.capabilities ?? {};
  const granted = new Set(capabilities[needed] ?? []);
  return (capabilities[set] ?? []).flatMap((capability, index) => {
    if (granted.has(capability)) return [];
    const pointer = `/process/capabilities/${set}/${index}`;
    return [{ pointer, message: `${capability} is not in /process/capabilities/${needed}, ${effect}` }];
  });
}
