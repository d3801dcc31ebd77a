import { appendPointer } from '../../config/read/pointer.ts';
import { TsrunError } from '../../errors.ts';
import type { Op } from '../../generated/ops.ts';
import { hasCapability } from '../../linux/capabilities.ts';
import type { Context } from '../context.ts';

/** config-linux.md, Network Devices. */
export function lowerNetDevices({ host, linux }: Context): Op[] {
  const devices = Object.entries(linux.netDevices ?? {});
  if (devices.length > 0 && !hasCapability(host.capabilities, 'CAP_NET_ADMIN')) {
    throw new TsrunError('moving network devices needs CAP_NET_ADMIN', {
      about: '/linux/netDevices',
      hint: 'an ordinary user cannot give devices away: leave the property out',
    });
  }
  return devices.map(([device, { name }]) => {
    const from = appendPointer('/linux/netDevices', device);
    return { op: 'move-net-device', by: 'runtime', from, device, name: name || device };
  });
}
