import { addon } from '../addon.ts';
import { TsrunError } from '../errors.ts';
import type { DeviceRule } from '../generated/ops.ts';
import { isInitialUserNamespace, ownCapabilities } from '../host/facts.ts';
import { type Capability, hasCapability } from '../linux/capabilities.ts';
import { log, logFinding } from '../log.ts';
import { deviceProgram } from './device-program.ts';

/**
 * Attaches a device filter to a cgroup, or replaces the one there; running processes feel it at their next open(2).
 *
 * @param cgroupFd the cgroup's directory
 * @param rules of those that match, the last decides
 * @throws TsrunError when the kernel refuses bpf(2) and the filter is required; otherwise this is only logged
 */
export function filterDevices(cgroupFd: number, rules: readonly DeviceRule[], required: boolean): void {
  try {
    const { instructions, shared } = deviceProgram(rules);
    if (!addon().filterDevices(cgroupFd, instructions, shared)) {
      log(
        'warning',
        'a program pinned in /sys/fs/bpf/tsrun is not the device filter that it is named after, so it is not used: remove what is there',
      );
    }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (!required && (code === 'EPERM' || code === 'ENOSYS')) {
      const pointer = '/linux/resources/devices';
      const message = 'the kernel allows no eBPF device filter here, so the container has none';
      logFinding('info', { pointer, message });
      return;
    }
    throw new TsrunError(`filter-devices: ${message}`, {
      about: '/linux/resources/devices',
      hint: filterHint(code, mayFilter),
    });
  }
}

const bpfNeeds = 'attaching a device filter needs CAP_BPF and CAP_NET_ADMIN outside of any user namespace';

/** bpf(2), BPF_PROG_ATTACH. */
const bpfAbove = 'the device program of a cgroup above allows no other below it (attached without BPF_F_ALLOW_MULTI)';

function mayFilter(): boolean {
  const own = ownCapabilities();
  const has = (name: Capability) => hasCapability(own, name);
  return isInitialUserNamespace() && (has('CAP_SYS_ADMIN') || (has('CAP_BPF') && has('CAP_NET_ADMIN')));
}

/** @param may whether this process could attach a filter if nothing above forbade it */
export function filterHint(code: string | undefined, may: () => boolean): string | undefined {
  if (code === 'EPERM') return may() ? bpfAbove : bpfNeeds;
  if (code === 'EINVAL' || code === 'ENOSYS') return 'the kernel needs CONFIG_CGROUP_BPF';
  return undefined;
}
