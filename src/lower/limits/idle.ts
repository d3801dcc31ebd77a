import type { WriteCgroupFileOp } from '../../generated/ops.ts';
import type { CurrentLimits, KeptWeight } from '../../linux/cgroup-values.ts';
import type { Warning } from '../../plan/plan.ts';
import { type Setting, write } from './setting.ts';

/** A new cgroup's weight (cgroup-v2.rst). */
const defaultWeight: KeptWeight = { file: 'cpu.weight', value: '100' };

/**
 * Settles cpu.idle and the weight, which the kernel keeps in one place: while a cgroup is idle the kernel refuses a
 * weight, and when that ends it sets the default one. Here idle is a state of its own, with both drivers: a weight
 * given meanwhile is kept, and the configured one comes back.
 *
 * @returns what to write, idle before the weight, and the weight to restore later if the cgroup is idle then
 */
export function settleIdle(
  settings: readonly Setting[],
  current: CurrentLimits,
  warnings: Warning[],
): { settings: Setting[]; keptWeight: KeptWeight | undefined } {
  const idles = settings.filter(({ op }) => writes(op, ['cpu.idle']));
  const weights = settings.filter(({ op }) => writes(op, ['cpu.weight', 'cpu.weight.nice']));
  const rest = settings.filter((setting) => !idles.includes(setting) && !weights.includes(setting));
  const given = idles.at(-1)?.op as WriteCgroupFileOp | undefined;
  const idle = given === undefined ? current.idle : given.value.trim() === '1';
  const last = weights.at(-1)?.op as WriteCgroupFileOp | undefined;
  const known = last ?? current.keptWeight ?? (current.idle ? undefined : weightInForce(current));
  if (idle) {
    if (last !== undefined)
      warnings.push({ pointer: last.from, message: `no effect while cpu.idle is 1; it takes effect when that ends` });
    return { settings: [...idles, ...rest], keptWeight: known && { file: known.file, value: known.value } };
  }
  if (!current.idle || last !== undefined) return { settings: [...idles, ...weights, ...rest], keptWeight: undefined };
  const { file, value } = known ?? defaultWeight;
  return { settings: [...idles, write('cpu', 'cpu/idle', file, value), ...rest], keptWeight: undefined };
}

function writes(op: Setting['op'], files: readonly string[]): boolean {
  return op.op === 'write-cgroup-file' && files.includes(op.file);
}

function weightInForce({ weight }: CurrentLimits): KeptWeight | undefined {
  return weight === undefined ? undefined : { file: 'cpu.weight', value: weight };
}
