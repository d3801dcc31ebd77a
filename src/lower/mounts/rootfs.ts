import { normalize } from 'node:path';
import type { Op } from '../../generated/ops.ts';
import { propagationFlags } from '../../linux/mount-constants.ts';
import { type Context, opensTrees, sharesMounts } from '../context.ts';
import { isUnfiltered } from '../limits/unfiltered.ts';
import { propagationOps, takeOps } from './mount-ops.ts';
import { type MountRequest, mountRequests } from './mount-request.ts';
import { mapLines } from './mount-trees.ts';
import { rootfsPath } from './rootfs-path.ts';
import { lowerChroot } from './shared-mounts.ts';
import { enterSmallMounts, hasSmallMounts } from './small-mounts.ts';

type Kind = keyof typeof propagationFlags;

/** linux.rootfsPropagation without its r, which says whether the mounts below the root get it, too. */
function rootPropagation({ linux }: Context): { kind: Kind; recursive: boolean } | undefined {
  const value = linux.rootfsPropagation;
  if (!value) return undefined;
  const recursive = value.startsWith('r');
  return { kind: (recursive ? value.slice(1) : value) as Kind, recursive };
}

/**
 * How the host's mounts relate to their copies in the new namespace while the container is being made. Slave: mounts of
 * the host may still arrive, but none of the container's can leave. Private instead of unbindable, because unbindable
 * mounts could not be bound.
 */
export function lowerPropagation(context: Context): Op[] {
  if (sharesMounts(context) || hasSmallMounts(context)) return [];
  const asked = rootPropagation(context);
  const from = asked === undefined ? 'default' : '/linux/rootfsPropagation';
  const kind = asked === undefined ? 'slave' : asked.kind === 'unbindable' ? 'private' : asked.kind;
  // Only mounts that are shared on the host stay shared: sharing a private one would share it with no other mount.
  const recursive = kind !== 'shared' || asked?.recursive === true;
  return [{ op: 'set-propagation', by: 'init', from, propagation: kind, flags: propagationFlags[kind], recursive }];
}

/** Runs before init enters a user namespace. */
export function lowerRootfsTree(context: Context): Op[] {
  if (!opensTrees(context)) return [];
  const path = rootfsPath(context);
  return [
    { op: 'open-tree', by: 'runtime', from: '/root/path', slot: 'rootfs', path, recursive: true, noFollow: false },
    ...mapRootfs(context),
  ];
}

/** Maps the IDs, so that files on disk have the IDs that they have in the container. */
function mapRootfs({ linux, options }: Context): Op[] {
  if (options.mapRootfs !== true) return [];
  const maps = { uidMap: mapLines(linux.uidMappings ?? []), gidMap: mapLines(linux.gidMappings ?? []) };
  const from = '/root/path';
  return [
    { op: 'make-user-namespace', by: 'runtime', from, slot: 'rootfs-ids', ...maps },
    { op: 'map-tree', by: 'runtime', from, tree: 'rootfs', namespace: 'rootfs-ids', recursive: false },
  ];
}

export function lowerRootfs(context: Context): Op[] {
  if (sharesMounts(context)) return [];
  if (hasSmallMounts(context)) return [enterSmallMounts(context)];
  const kind = rootPropagation(context)?.kind;
  const bind = {
    by: 'init',
    from: '/root/path',
    path: rootfsPath(context),
    // Private unless the config says otherwise: mounts that the host makes there later must not appear in the
    // container.
    propagation: kind === 'slave' ? 0 : propagationFlags.private,
    detachParent: kind === 'shared',
  } as const;
  if (!opensTrees(context)) return [{ op: 'bind-rootfs', ...bind, tree: null }];
  const op = context.options.mapRootfs === true ? 'bind-mapped-rootfs' : 'bind-rootfs';
  return [{ op, ...bind, tree: 'rootfs' }];
}

/**
 * Without a device filter, an image's nodes must not give access to devices (lower/limits/unfiltered.ts). If the config
 * mounts no /dev, the image's own must stay usable.
 */
export function lowerNodev(context: Context): Op[] {
  if (!isUnfiltered(context)) return [];
  const isDevMounted = mountRequests(context).some(({ destination }) => destination.path === '/dev');
  const areInDev = (context.linux.devices ?? []).every(({ path }) => normalize(path).startsWith('/dev/'));
  if (isDevMounted && areInDev) return [{ op: 'nodev-root', by: 'init', from: '/root/path' }];
  context.warnings.push({
    pointer: '/root/path',
    message: 'no cgroup means no device filter: device nodes of the image can be opened',
  });
  return [];
}

export function lowerEnterRoot(context: Context): Op[] {
  const { options } = context;
  if (sharesMounts(context)) return lowerChroot();
  if (options.noPivot === true) return [{ op: 'move-root', by: 'init', from: '--no-pivot' }];
  return [{ op: 'pivot-root', by: 'init', from: '/root/path' }];
}

/** linux.rootfsPropagation as the container's process sees it. */
export function lowerRootPropagation(context: Context): Op[] {
  const asked = rootPropagation(context);
  if (asked === undefined) return [];
  const { kind, recursive } = asked;
  const flags = propagationFlags[kind];
  return [
    { op: 'set-root-propagation', by: 'init', from: '/linux/rootfsPropagation', propagation: kind, flags, recursive },
    ...mountRequests(context)
      .filter((request) => hasOwnPropagation(context, request))
      .flatMap((request) => [...takeOps(request, request.index), ...propagationOps(request)]),
  ];
}

/** Whether a mount sets its own propagation, which a recursive propagation of the root would undo. */
export function hasOwnPropagation(context: Context, { options }: MountRequest): boolean {
  return rootPropagation(context)?.recursive === true && options.propagation.length > 0;
}

export function lowerReadonlyRoot({ spec }: Context): Op[] {
  return spec.root?.readonly === true ? [{ op: 'readonly-root', by: 'init', from: '/root/readonly' }] : [];
}
