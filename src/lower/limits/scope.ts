import { TsrunError } from '../../errors.ts';
import type { Op, UnitProperty } from '../../generated/ops.ts';
import { scopeName } from '../../systemd/unit-name.ts';
import { annotatedProperties, oomPolicy, unitProperties } from '../../systemd/unit-properties.ts';
import type { Context } from '../context.ts';

/**
 * The scope of a container whose cgroup systemd makes, with its limits as properties. It is delegated: what is below it
 * is the container's. Devices are left to our own filter: while the unit has no DeviceAllow, systemd attaches no program
 * of its own, so a daemon-reload has no access to take away, and our rules can say what DeviceAllow cannot.
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
    // With the default ones a scope would be stopped, and the container killed, before the engine at shutdown.
    { name: 'DefaultDependencies', type: 'b', value: false },
    ...['CPU', 'Memory', 'IO', 'Tasks'].map((name) => ({ name: `${name}Accounting`, type: 'b', value: true })),
    ...unitProperties(settings, host.bfq),
    ...oomPolicy(settings),
    // Last: what is said of the unit itself overrides.
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
