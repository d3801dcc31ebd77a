import { deviceRulesOf } from '../../linux/device-rules.ts';
import { type Context, namespaceOf } from '../context.ts';

/**
 * Whether only the lack of device nodes keeps the container from the host's disks: it has no cgroup and so no device
 * filter, and no user namespace to do the filter's work. False if its rules allow every device anyway.
 *
 * Such a container gets no CAP_MKNOD, and nodes in its image or in a volume cannot be opened (see lowerNodev); /dev has
 * what the config puts there.
 */
export function isUnfiltered(context: Context): boolean {
  const { host, options } = context;
  const hasNoFilter = options.cgroupManager === 'disabled' || host.cgroup.mount === null;
  const isConfined = namespaceOf(context, 'user') !== undefined || !host.initialUserNamespace || host.uid !== 0;
  return hasNoFilter && !isConfined && !allowsAll(context);
}

/** Whether a rule allows every device, and no later rule takes one away. */
function allowsAll({ linux }: Context): boolean {
  const rules = deviceRulesOf(linux.resources?.devices ?? []);
  const last = rules.findLastIndex(({ allow }) => !allow);
  return rules.slice(last + 1).some(({ type, major, minor, access }) => {
    const isAll = type === 'a' && major === null && minor === null;
    return isAll && [...'rwm'].every((letter) => access.includes(letter));
  });
}
