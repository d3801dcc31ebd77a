import type { Op } from '../../generated/ops.ts';
import type { MemoryPolicyFlag, MemoryPolicyMode } from '../../generated/spec.ts';
import type { Context } from '../context.ts';
import { type KernelVersion, requireKernel } from '../kernel.ts';
import { numberMask } from '../limits/number-list.ts';

interface Constant {
  /** The number in linux/mempolicy.h. */
  readonly value: number;
  readonly since: KernelVersion;
}

/** Modes of set_mempolicy(2). */
export const memoryPolicyModes: Readonly<Record<MemoryPolicyMode, Constant>> = {
  MPOL_DEFAULT: { value: 0, since: [2, 6] },
  MPOL_PREFERRED: { value: 1, since: [2, 6] },
  MPOL_BIND: { value: 2, since: [2, 6] },
  MPOL_INTERLEAVE: { value: 3, since: [2, 6] },
  MPOL_LOCAL: { value: 4, since: [3, 8] },
  MPOL_PREFERRED_MANY: { value: 5, since: [5, 15] },
  MPOL_WEIGHTED_INTERLEAVE: { value: 6, since: [6, 9] },
};

/** Flags to combine with the mode. */
export const memoryPolicyFlags: Readonly<Record<MemoryPolicyFlag, Constant>> = {
  MPOL_F_STATIC_NODES: { value: 1 << 15, since: [2, 6] },
  MPOL_F_RELATIVE_NODES: { value: 1 << 14, since: [2, 6] },
  MPOL_F_NUMA_BALANCING: { value: 1 << 13, since: [5, 12] },
};

/** MAX_NUMNODES of kernels built for the most nodes (CONFIG_NODES_SHIFT=10). */
const maxNodes = 1024;

/** config-linux.md, Memory policy. */
export function lowerMemoryPolicy(context: Context): Op[] {
  const { mode, nodes = '', flags = [] } = context.linux.memoryPolicy ?? {};
  if (mode === undefined) return [];
  const from = '/linux/memoryPolicy';
  let value = constant(context, `${from}/mode`, mode, memoryPolicyModes[mode]);
  flags.forEach((flag, index) => {
    value |= constant(context, `${from}/flags/${index}`, flag, memoryPolicyFlags[flag]);
  });
  const mask = nodes === '' ? [] : numberMask(nodes, maxNodes, `${from}/nodes`);
  return [{ op: 'set-memory-policy', by: 'init', from, policy: [mode, ...flags].join('|'), mode: value, nodes: mask }];
}

function constant(context: Context, pointer: string, name: string, { value, since }: Constant): number {
  requireKernel(context, pointer, name, since);
  return value;
}
