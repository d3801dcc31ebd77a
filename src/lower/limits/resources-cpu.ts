import type { LinuxCPU } from '../../generated/spec.ts';
import type { CurrentLimits } from '../../linux/cgroup-values.ts';
import { decimal, type Setting, write } from './setting.ts';

/** linux.resources.cpu: the controllers cpu (weight, bandwidth) and cpuset. */
export function lowerCpu(cpu: LinuxCPU, current: CurrentLimits): Setting[] {
  const settings: Setting[] = [];
  if (cpu.cpus) settings.push(write('cpuset', 'cpu/cpus', 'cpuset.cpus', cpu.cpus));
  if (cpu.mems) settings.push(write('cpuset', 'cpu/mems', 'cpuset.mems', cpu.mems));
  if (cpu.idle !== undefined) settings.push(write('cpu', 'cpu/idle', 'cpu.idle', decimal(cpu.idle)));
  if (cpu.shares) settings.push(write('cpu', 'cpu/shares', 'cpu.weight', String(weightOfShares(cpu.shares))));
  settings.push(...lowerBandwidth(cpu, current));
  return settings;
}

/**
 * Quota and period share cpu.max; one that is not given stays. The burst comes later, because it may not exceed the
 * quota. If an update lowers both, the writer's second pass can lower the quota (see applySettings).
 */
function lowerBandwidth({ quota = 0, period = 0, burst }: LinuxCPU, current: CurrentLimits): Setting[] {
  const settings: Setting[] = [];
  if (quota !== 0 || period !== 0) {
    const first = quota === 0 ? current.cpuQuota : quota < 0 ? 'max' : decimal(quota);
    const second = period === 0 ? current.cpuPeriod : period;
    const from = quota === 0 ? 'cpu/period' : 'cpu/quota';
    const value = `${first} ${decimal(second)}`;
    settings.push(write('cpu', from, 'cpu.max', value));
  }
  if (burst !== undefined) settings.push(write('cpu', 'cpu/burst', 'cpu.max.burst', decimal(burst)));
  return settings;
}

/**
 * Converts cpu.shares of cgroup v1 (2 to 262144, default 1024) to a weight of v2 (1 to 10000, default 100), by the
 * quadratic function of runc and crun, which maps both ends and the default exactly.
 */
export function weightOfShares(shares: number): number {
  if (shares <= 2) return 1;
  if (shares >= 262_144) return 10_000;
  const log = Math.log2(shares);
  return Math.ceil(10 ** ((log * log + 125 * log) / 612 - 7 / 34));
}
