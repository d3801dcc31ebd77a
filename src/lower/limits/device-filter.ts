import type { Op } from '../../generated/ops.ts';
import { defaultDeviceRules, deviceRulesOf } from '../../linux/device-rules.ts';
import type { Context } from '../context.ts';

/**
 * linux.resources.devices, followed by what every container may use. A config without rules gets the same filter, as
 * with runc: all else is refused. Such a filter, that nobody asked for, may be missing where the kernel grants no
 * bpf(2): then its absence is only logged.
 */
export function lowerDeviceFilter({ host, linux }: Context): Op[] {
  if (host.cgroup.mount === null) return [];
  const given = linux.resources?.devices ?? [];
  const rules = [...deviceRulesOf(given), ...defaultDeviceRules];
  // A user's own namespace has no say over devices anyway: it can make no node and read no other's.
  const required = given.length > 0 && host.initialUserNamespace && host.uid === 0;
  return [{ op: 'filter-devices', by: 'runtime', from: '/linux/resources/devices', rules, required }];
}
