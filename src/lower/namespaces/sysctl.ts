import { appendPointer } from '../../config/read/pointer.ts';
import { TsrunError } from '../../errors.ts';
import type { Op } from '../../generated/ops.ts';
import { sysctlPath, youngParameters } from '../../linux/sysctl.ts';
import { type Context, isPrivileged } from '../context.ts';

/**
 * config-linux.md, Sysctl. Validation and open-namespace make sure that each belongs to one of the container's
 * namespaces.
 */
export function lowerSysctl(context: Context): Op[] {
  return parameters(context).map(({ from, key, value }) => {
    const isYoung = youngParameters.includes(key);
    const host = { hostFile: isYoung ? slotOf(key) : null, hostDirectory: isYoung ? directorySlot : null };
    return { op: 'write-sysctl', by: 'init', from, key, value, ...host };
  });
}

/**
 * Opens the host's own files of parameters that some kernels share between namespaces, before init is in its
 * namespaces. While they are open, a process that shares a parameter with the host finds the same inode.
 */
export function lowerHostSysctl(context: Context): Op[] {
  const young = parameters(context).filter(({ key }) => youngParameters.includes(key));
  const [first] = young;
  if (first === undefined) return [];
  if (!isPrivileged(context) || !context.host.ownsMounts) {
    throw new TsrunError(`cannot be told apart from the host's without privilege`, {
      about: first.from,
      hint: 'leave it out; limit processes with /linux/resources/pids',
    });
  }
  const open = { op: 'open-tree', by: 'runtime', recursive: false, noFollow: false } as const;
  return [
    { ...open, from: first.from, slot: directorySlot, path: '/proc/sys' },
    ...young.map(({ from, key }): Op => ({ ...open, from, slot: slotOf(key), path: `/proc/sys/${key}` })),
  ];
}

const directorySlot = 'sysctl';

function slotOf(key: string): string {
  return `sysctl-${key}`;
}

function parameters({ linux }: Context): { from: string; key: string; value: string }[] {
  return Object.entries(linux.sysctl ?? {}).map(([key, value]) => {
    return { from: appendPointer('/linux/sysctl', key), key: sysctlPath(key), value };
  });
}
