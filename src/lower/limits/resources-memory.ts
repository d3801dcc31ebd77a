import { TsrunError } from '../../errors.ts';
import type { LinuxMemory } from '../../generated/spec.ts';
import type { CurrentLimits } from '../../linux/cgroup-values.ts';
import { decimalOrMax, type Setting, write } from './setting.ts';

/**
 * linux.resources.memory: limit is memory.max, and reservation is memory.low (protected from reclaim). swap counts
 * memory and swap together; memory.swap.max gets it without the memory.
 */
export function lowerMemory(memory: LinuxMemory, current: CurrentLimits): Setting[] {
  const { limit = 0, reservation } = memory;
  const settings: Setting[] = [];
  const swapMax = swapOnly(memory, current);
  if (memory.checkBeforeUpdate === true && limit > 0) settings.push(useCheck(limit, swapMax));
  if (limit !== 0) settings.push(write('memory', 'memory/limit', 'memory.max', decimalOrMax(limit)));
  // After memory.max: if memory shrinks first, what no longer fits can still go to swap.
  if (swapMax !== undefined) settings.push(write('memory', 'memory/swap', 'memory.swap.max', decimalOrMax(swapMax)));
  if (reservation !== undefined) {
    settings.push(write('memory', 'memory/reservation', 'memory.low', decimalOrMax(reservation)));
  }
  return settings;
}

/** The swap limit as cgroup v2 counts it: -1 is no limit, undefined is not asked for. */
function swapOnly({ limit = 0, swap = 0 }: LinuxMemory, current: CurrentLimits): number | undefined {
  // As on cgroup v1, where swap could not be limited if memory was not.
  if (swap === 0) return limit === -1 ? -1 : undefined;
  if (swap < 0) return -1;
  // No sum limits memory and swap, but so much swap alone is too much.
  if (limit < 0) return swap;
  const memory = limit === 0 ? current.memory : limit;
  if (memory === undefined) {
    throw new TsrunError('it counts memory and swap together, and memory has no limit', {
      about: '/linux/resources/memory/swap',
      hint: 'set /linux/resources/memory/limit too, or memory.swap.max in /linux/resources/unified',
    });
  }
  if (swap >= memory) return swap - memory;
  throw new TsrunError(`${swap} is less than the memory limit ${memory}`, {
    about: '/linux/resources/memory/swap',
    hint: 'it is the sum of memory and swap',
  });
}

/**
 * memory.checkBeforeUpdate: where cgroup v1 refused a limit below the use, cgroup v2 would kill processes to reach it.
 */
function useCheck(limit: number, swap: number | undefined): Setting {
  const from = '/linux/resources/memory/checkBeforeUpdate';
  return { controller: 'memory', op: { op: 'check-memory-use', by: 'runtime', from, limit, swap: swap ?? -1 } };
}
