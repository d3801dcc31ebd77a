import { resolve } from 'node:path';
import { TsrunError } from '../../errors.ts';
import type { Op } from '../../generated/ops.ts';
import type { LinuxIDMapping, Mount } from '../../generated/spec.ts';
import { type Context, namespaceOf } from '../context.ts';
import { hasMappings, type MountRequest, mountRequests } from './mount-request.ts';

/** Source of a bind mount: absolute, or relative to the bundle (config.md, Mounts). */
export function bindSource({ options }: Pick<Context, 'options'>, { source = '' }: Mount): string {
  return resolve(options.bundle, source);
}

/**
 * Opens, and ID-maps, trees before init enters a user namespace, whose root may not reach them and has no power over
 * the host's filesystems.
 */
export function lowerTrees(context: Context): Op[] {
  return openedRequests(context).flatMap((request) => [
    ...namespaceOps(context, request),
    ...treeOps(context, request),
  ]);
}

/** Those that need anything of the runtime: usually none of hundreds. */
function openedRequests(context: Context): MountRequest[] {
  return mountRequests(context).filter(({ slot, isMapped }) => slot !== null || isMapped);
}

/**
 * Opens the other trees while init still has the user ID of the host's root, which may open most directories. An
 * ID-mapped tree must stay with the runtime.
 */
export function lowerOwnTrees(context: Context): Op[] {
  return openedRequests(context).flatMap((request): Op[] => {
    const { slot: tree } = request;
    if (tree === null || request.isMapped) return [];
    const { mount, from, destination, options } = request;
    const source = bindSource(context, mount);
    return [
      {
        op: 'own-tree',
        by: 'init',
        from: `${from}/source`,
        destination: destination.path,
        source,
        recursive: options.bind === 'rbind',
        noFollow: options.copyLink !== undefined,
        tree,
      },
    ];
  });
}

function treeOps(context: Context, request: MountRequest): Op[] {
  const { mount, options, from, slot } = request;
  if (slot === null) return [];
  const path = bindSource(context, mount);
  const recursive = options.bind === 'rbind';
  const noFollow = options.copyLink !== undefined;
  const ops: Op[] = [{ op: 'open-tree', by: 'runtime', from: `${from}/source`, slot, path, recursive, noFollow }];
  if (request.isMapped) {
    const namespace = namespaceSlot(request);
    const place = options.idmap?.from ?? `${from}/uidMappings`;
    ops.push({ op: 'map-tree', by: 'runtime', from: place, tree: slot, namespace, recursive: mapsAll(request) });
  }
  return ops;
}

function mapsAll({ options }: MountRequest): boolean {
  return options.idmap?.recursive ?? false;
}

function namespaceSlot({ index }: MountRequest): string {
  return `ids-${index}`;
}

/** Makes the user namespace with the mappings for the mount: the entry's own, or the container's. */
function namespaceOps(context: Context, request: MountRequest): Op[] {
  if (!request.isMapped) return [];
  const { mount, from } = request;
  const slot = namespaceSlot(request);
  const { uids, gids, place } = mappingsOf(context, request);
  const joined = namespaceOf(context, 'user');
  if (!hasMappings(mount) && joined?.entry.path) {
    const path = joined.entry.path;
    return [
      { op: 'open-namespace', by: 'runtime', from: `${joined.from}/path`, slot, type: 'user', path, privateFor: null },
    ];
  }
  if (uids.length === 0 || gids.length === 0) {
    throw new TsrunError('an ID-mapped mount needs both uidMappings and gidMappings', {
      about: from,
      hint: 'or a user namespace with mappings, to take them from',
    });
  }
  const maps = { uidMap: mapLines(uids), gidMap: mapLines(gids) };
  return [{ op: 'make-user-namespace', by: 'runtime', from: place, slot, ...maps }];
}

function mappingsOf({ linux }: Context, { mount, from }: MountRequest) {
  if (hasMappings(mount)) {
    return { uids: mount.uidMappings ?? [], gids: mount.gidMappings ?? [], place: `${from}/uidMappings` };
  }
  return { uids: linux.uidMappings ?? [], gids: linux.gidMappings ?? [], place: '/linux/uidMappings' };
}

/** In the form of /proc/PID/uid_map (user_namespaces(7)). */
export function mapLines(mappings: readonly LinuxIDMapping[]): string {
  return mappings.map(({ containerID, hostID, size }) => `${containerID} ${hostID} ${size}\n`).join('');
}

/** ID-maps a new filesystem of the container's own. */
export function mapNewFilesystem(context: Context, request: MountRequest): Op[] {
  if (!request.isMapped) return [];
  const { options, from, destination } = request;
  const place = options.idmap?.from ?? `${from}/uidMappings`;
  if (namespaceOf(context, 'user') !== undefined) {
    throw new TsrunError('a new filesystem in a user namespace has the ids of that namespace already', {
      about: place,
      hint: 'leave the mapping out, or bind a directory of the host',
    });
  }
  return [
    {
      op: 'map-mount-ids',
      by: 'init',
      from: place,
      destination: destination.path,
      namespaceFd: namespaceSlot(request),
      recursive: mapsAll(request),
    },
  ];
}
