import type { LinuxBlockIO, LinuxThrottleDevice } from '../../generated/spec.ts';
import { decimal, type Setting, write } from './setting.ts';

/** Key of io.max for each property. */
const throttles = [
  ['throttleReadBpsDevice', 'rbps'],
  ['throttleWriteBpsDevice', 'wbps'],
  ['throttleReadIOPSDevice', 'riops'],
  ['throttleWriteIOPSDevice', 'wiops'],
] as const;

/** linux.resources.blockIO: the io controller. Each line of io.max is a write, because the kernel reads only one. */
export function lowerBlockIO(blockIO: LinuxBlockIO): Setting[] {
  const settings: Setting[] = [];
  if (blockIO.weight) settings.push(weight('blockIO/weight', 'default', blockIO.weight));
  blockIO.weightDevice?.forEach((entry, index) => {
    const from = `blockIO/weightDevice/${index}`;
    if (entry.weight) settings.push(weight(from, `${entry.major}:${entry.minor}`, entry.weight));
  });
  for (const [property, key] of throttles) {
    blockIO[property]?.forEach((entry, index) => {
      settings.push(throttle(`blockIO/${property}/${index}`, key, entry));
    });
  }
  return settings;
}

function weight(from: string, device: string, value: number): Setting {
  return {
    controller: 'io',
    op: { op: 'set-io-weight', by: 'runtime', from: `/linux/resources/${from}`, device, weight: value },
  };
}

/** A rate of 0 removes the limit, as on cgroup v1. */
function throttle(from: string, key: string, { major, minor, rate }: LinuxThrottleDevice): Setting {
  return write('io', from, 'io.max', `${major}:${minor} ${key}=${rate === 0 ? 'max' : decimal(rate)}`);
}
