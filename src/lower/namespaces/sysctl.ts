import { appendPointer } from '../../config/read/pointer.ts';
import type { Op } from '../../generated/ops.ts';
import { sysctlPath } from '../../linux/sysctl.ts';
import type { Context } from '../context.ts';

/** config-linux.md, Sysctl. That each belongs to a namespace of the container's, validation and open-namespace ensure. */
export function lowerSysctl({ linux }: Context): Op[] {
  return Object.entries(linux.sysctl ?? {}).map(([key, value]) => {
    const from = appendPointer('/linux/sysctl', key);
    return { op: 'write-sysctl', by: 'init', from, key: sysctlPath(key), value };
  });
}
