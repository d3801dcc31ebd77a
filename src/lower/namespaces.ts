import { TsrunError } from '../errors.ts';
import type { Op } from '../generated/ops.ts';
import { type Context, hasNew, type NamespaceType } from './context.ts';

/** CLONE_NEW* of sched.h, by the spec's names. */
export const namespaceFlags: Readonly<Record<NamespaceType, number>> = {
  mount: 0x00020000,
  cgroup: 0x02000000,
  uts: 0x04000000,
  ipc: 0x08000000,
  user: 0x10000000,
  pid: 0x20000000,
  network: 0x40000000,
  time: 0x00000080,
};

/** In one clone3, as it is cheaper than one call each; cgroup is not among them (see lowerLateNamespaces). */
const clonedTypes: readonly NamespaceType[] = ['pid', 'network', 'ipc', 'uts', 'mount'];

/** The clone that starts init. */
export function lowerClone(context: Context): Op[] {
  requireMountNamespace(context);
  const namespaces = clonedTypes.filter((type) => hasNew(context, type));
  const flags = namespaces.reduce((sum, type) => sum | namespaceFlags[type], 0);
  return [{ op: 'clone', by: 'runtime', from: '/linux/namespaces', namespaces, flags }];
}

/** pivot_root in the runtime's own mount namespace would take the host's root away. */
function requireMountNamespace(context: Context): void {
  if (context.linux.namespaces?.some((entry) => entry.type === 'mount')) return;
  throw new TsrunError('/linux/namespaces: a container needs a mount namespace', {
    hint: 'add { "type": "mount" } to linux.namespaces',
  });
}

/** Namespaces that must be made from inside, and what a new one needs before use. */
export function lowerLateNamespaces(context: Context): Op[] {
  const ops: Op[] = [];
  if (hasNew(context, 'cgroup') && context.host.cgroup.mount !== null) {
    const flags = namespaceFlags.cgroup;
    ops.push({ op: 'unshare', by: 'init', from: '/linux/namespaces', namespaces: ['cgroup'], flags });
  }
  if (hasNew(context, 'network')) ops.push({ op: 'loopback-up', by: 'init', from: '/linux/namespaces' });
  return ops;
}
