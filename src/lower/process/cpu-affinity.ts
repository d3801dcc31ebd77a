import type { Op } from '../../generated/ops.ts';
import type { Spec } from '../../generated/spec.ts';
import { numberMask } from '../limits/number-list.ts';

/** NR_CPUS of kernels built for the most CPUs (CONFIG_MAXSMP). */
const maxCpus = 8192;

/**
 * config.md, Linux Process, execCPUAffinity: only for processes that exec adds, not for the container's first one.
 *
 * @returns `initial`, for the runtime before the clone: the child is born with it in the container's cgroup, whose
 *   cpuset may narrow it; `final`, for init, which is in that cgroup
 */
export function lowerExecAffinity({ process }: Pick<Spec, 'process'>): { initial: Op[]; final: Op[] } {
  const { initial, final } = process?.execCPUAffinity ?? {};
  const at = '/process/execCPUAffinity';
  const lower = (cpus: string | undefined, by: 'runtime' | 'init', from: string): Op[] => {
    if (!cpus) return [];
    const mask = numberMask(cpus, maxCpus, from);
    if (by === 'runtime') return [{ op: 'set-own-cpu-affinity', by, from, cpus, mask }];
    return [{ op: 'set-cpu-affinity', by, from, cpus, mask }];
  };
  return { initial: lower(initial, 'runtime', `${at}/initial`), final: lower(final, 'init', `${at}/final`) };
}

/** Whether the process has its own affinity. Any other process loses its caller's (reset-process). */
export function namesCpus({ process }: Pick<Spec, 'process'>): boolean {
  const { initial, final } = process?.execCPUAffinity ?? {};
  return Boolean(initial || final);
}
