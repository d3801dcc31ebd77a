import { TsrunError } from '../../errors.ts';
import type { Op, UnitProperty } from '../../generated/ops.ts';
import { scopeName } from '../../systemd/unit-name.ts';
import { annotatedProperties, oomPolicy, unitProperties } from '../../systemd/unit-properties.ts';
import type { Context } from '../context.ts';

/**
 * The scope that systemd makes for a container, with the limits as properties. It is delegated: everything below it
 * belongs to the container. Devices are left to our own filter. Without a DeviceAllow in the unit, systemd attaches no
 * program of its own, so a daemon-reload cannot take access away; and our rules can express more than DeviceAllow.
 */
export function lowerScope({ spec, linux, host, options }: Context, controllers: string[], settings: Op[]): Op {
  if (!host.systemd) {
    throw new TsrunError('--systemd-cgroup: systemd not running on this host, cannot use systemd cgroups manager', {
      hint: 'leave --systemd-cgroup out',
    });
  }
  const user = host.systemdUser !== undefined;
  const { slice, scope } = scopeName(linux.cgroupsPath, options.id, user);
  const properties: UnitProperty[] = [
    { name: 'Description', type: 's', value: `tsrun container ${options.id}` },
    { name: 'Slice', type: 's', value: slice },
    { name: 'Delegate', type: 'b', value: true },
    // With the default ones, a shutdown would stop the scope, and kill the container, before the engine.
    { name: 'DefaultDependencies', type: 'b', value: false },
    ...['CPU', 'Memory', 'IO', 'Tasks'].map((name) => ({ name: `${name}Accounting`, type: 'b', value: true })),
    ...unitProperties(settings, host.bfq),
    ...oomPolicy(settings),
    // Last, because properties given for the unit itself override others.
    ...annotatedProperties(spec.annotations ?? {}),
  ];
  return {
    op: 'start-scope',
    by: 'runtime',
    from: linux.cgroupsPath ? '/linux/cgroupsPath' : '--systemd-cgroup',
    unit: scope,
    user,
    mount: host.cgroup.mount ?? '',
    properties,
    controllers,
  };
}
