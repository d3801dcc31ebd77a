import type { Op } from '../../generated/ops.ts';
import { capabilityBit } from '../../linux/capabilities.ts';
import { type Context, namespaceOf } from '../context.ts';
import { isUnfiltered } from '../limits/unfiltered.ts';
import { keptForSeccomp } from './seccomp.ts';

type SetName = 'bounding' | 'effective' | 'permitted' | 'inheritable' | 'ambient';

/**
 * config.md, Linux Process, capabilities. "Any value which cannot be mapped to a relevant kernel interface, or cannot
 * be granted otherwise, MUST be logged as a warning […] runtimes SHOULD NOT fail".
 */
export function lowerCapabilities(context: Context): { beforeUser: Op[]; afterUser: Op[] } {
  const from = '/process/capabilities';
  const refused: Refused = new Map();
  const mask = (name: SetName) => capabilityMask(context, name, refused);
  // capset(2) refuses everything if one set has a capability that another lacks; validation warns of these.
  const bounding = mask('bounding');
  const permitted = mask('permitted');
  const effective = mask('effective') & permitted;
  const inheritable = mask('inheritable') & bounding;
  const ambient = mask('ambient') & permitted & inheritable;
  for (const [problem, names] of refused) {
    const list = [...names].join(', ');
    const message = `${list} ${problem} and ${names.size === 1 ? 'is' : 'are'} left out`;
    context.warnings.push({ pointer: from, message });
  }
  const kept = keptForSeccomp(context);
  return {
    beforeUser: [{ op: 'bound-capabilities', by: 'init', from: `${from}/bounding`, bounding }],
    afterUser: [{ op: 'set-capabilities', by: 'init', from, effective, permitted, inheritable, ambient, kept }],
  };
}

/** Names of capabilities, from whichever set, by what is wrong with them. */
type Refused = Map<string, Set<string>>;

function capabilityMask(context: Context, set: SetName, refused: Refused): bigint {
  const { spec } = context;
  const grantable = grantableCapabilities(context);
  const withheld = isUnfiltered(context) ? capabilityBit('CAP_MKNOD') : 0n;
  let mask = 0n;
  for (const name of spec.process?.capabilities?.[set] ?? []) {
    const bit = capabilityBit(name);
    // Validation has warned about an unknown one.
    if (bit === undefined) continue;
    const problem = refusalOf(bit, grantable, withheld);
    if (problem === undefined) {
      mask |= bit;
      continue;
    }
    const names = refused.get(problem) ?? new Set();
    refused.set(problem, names.add(name));
  }
  return mask;
}

function refusalOf(bit: bigint, grantable: bigint, withheld: bigint): string | undefined {
  if ((bit & withheld) !== 0n) return 'would give it the host’s devices, as no cgroup means no device filter,';
  return (bit & grantable) === 0n ? 'cannot be granted here' : undefined;
}

/** A process has every capability in a user namespace that it makes or joins, otherwise those of the runtime. */
function grantableCapabilities(context: Context): bigint {
  if (namespaceOf(context, 'user') === undefined) return context.host.capabilities;
  return (1n << BigInt(context.host.lastCapability + 1)) - 1n;
}
