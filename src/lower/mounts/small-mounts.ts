/**
 * When a new mount namespace needs no copy of the host's mounts, which takes 3 ms for 2,000 of them: the few trees that
 * the container gets are opened before, and attached in a copy of a namespace that has next to no mounts.
 */
import type { Op } from '../../generated/ops.ts';
import { propagationFlags } from '../../linux/mount-constants.ts';
import { type Context, hasNew, isPrivileged, needsMoreThanClone } from '../context.ts';
import { type MountRequest, mountRequests } from './mount-request.ts';
import { bindSource } from './mount-trees.ts';
import { rootfsPath } from './rootfs-path.ts';

/** Init holds a descriptor for each, and the usual limit is 1,024. */
const mostTrees = 256;

/** Filesystems to which neither their source nor an option is a path of the host. */
const withoutPaths: readonly string[] = [
  ...['proc', 'sysfs', 'tmpfs', 'ramfs', 'devpts', 'mqueue', 'cgroup', 'cgroup2', 'bpf'],
  ...['hugetlbfs', 'debugfs', 'tracefs', 'securityfs'],
];

const known = new WeakMap<Context, boolean>();

/** Whether nothing after the clone needs the host's mounts by their paths. */
export function hasSmallMounts(context: Context): boolean {
  let found = known.get(context);
  if (found === undefined) {
    found = isPossible(context) && mountRequests(context).every((request) => isIndependent(context, request));
    known.set(context, found);
  }
  return found;
}

function isPossible(context: Context): boolean {
  const { spec, linux, host, options } = context;
  if (!hasNew(context, 'mount') || needsMoreThanClone(context) || options.noPivot === true) return false;
  // Other kinds need what the host's mounts are to each other.
  if (![undefined, '', 'slave', 'rslave'].includes(linux.rootfsPropagation)) return false;
  const { prestart = [], createRuntime = [], createContainer = [] } = spec.hooks ?? {};
  // Such hooks are programs of the host, and look at the container's namespace by the host's paths.
  if (prestart.length + createRuntime.length + createContainer.length > 0) return false;
  if (!isPrivileged(context) || !host.initialUserNamespace) return false;
  return (spec.mounts ?? []).length <= mostTrees && host.smallMounts;
}

function isIndependent(context: Context, { mount, options }: MountRequest): boolean {
  if (options.remount) return true;
  if (options.bind === undefined) return withoutPaths.includes(mount.type ?? '');
  // An earlier entry may be mounted there.
  const rootfs = rootfsPath(context);
  const source = bindSource(context, mount);
  return source !== rootfs && !source.startsWith(rootfs === '/' ? '/' : `${rootfs}/`);
}

export function lowerOpenSmallMounts(context: Context): Op[] {
  if (!hasSmallMounts(context)) return [];
  return [{ op: 'open-small-mounts', by: 'runtime', from: '/linux/namespaces', slot: 'small-mounts' }];
}

/** The same root filesystem and the same propagation as with set-propagation and bind-rootfs. */
export function enterSmallMounts(context: Context): Op {
  const propagation = context.linux.rootfsPropagation ? 0 : propagationFlags.private;
  const path = rootfsPath(context);
  return { op: 'enter-small-mounts', by: 'init', from: '/root/path', path, namespaceFd: 'small-mounts', propagation };
}
