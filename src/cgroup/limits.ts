import { join } from 'node:path';
import { type CurrentLimits, type KeptWeight, noLimits } from '../linux/cgroup-values.ts';
import { readIfThere } from '../there.ts';

/** The limits of a cgroup that other limits depend on; a missing file limits nothing. */
export function readCurrentLimits(path: string, keptWeight: KeptWeight | undefined): CurrentLimits {
  const memory = readFile(path, 'memory.max');
  const [quota, period] = readFile(path, 'cpu.max')?.split(' ') ?? [];
  return {
    memory: memory === undefined || memory === 'max' ? undefined : Number(memory),
    cpuQuota: quota ?? noLimits.cpuQuota,
    cpuPeriod: period === undefined ? noLimits.cpuPeriod : Number(period),
    idle: isIdle(path),
    weight: readFile(path, 'cpu.weight'),
    keptWeight,
  };
}

/** Whether its processes run only when no others want to (cpu.idle). */
export function isIdle(path: string): boolean {
  return readFile(path, 'cpu.idle') === '1';
}

function readFile(path: string, name: string): string | undefined {
  return readIfThere(join(path, name))?.trim();
}
