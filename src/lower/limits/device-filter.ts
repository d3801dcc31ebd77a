import type { Op } from '../../generated/ops.ts';
import { defaultDeviceRules, deviceRulesOf } from '../../linux/device-rules.ts';
import type { Context } from '../context.ts';

/**
 * linux.resources.devices, followed by the devices that every container may use. A config without rules gets the same
 * filter, as in runc: everything else is refused. Where the kernel does not grant bpf(2), such a filter, which the
 * config did not ask for, may be missing: that is only logged.
 */
export function lowerDeviceFilter({ host, linux }: Context): Op[] {
  if (host.cgroup.mount === null) return [];
  const given = linux.resources?.devices ?? [];
  const rules = [...deviceRulesOf(given), ...defaultDeviceRules];
  // Only for the host's root. An ordinary user's namespace gives no power over devices: nodes cannot be made in it, nor
  // foreign ones opened.
  const required = given.length > 0 && host.initialUserNamespace && host.uid === 0;
  return [{ op: 'filter-devices', by: 'runtime', from: '/linux/resources/devices', rules, required }];
}
