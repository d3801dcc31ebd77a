import { TsrunError } from '../../errors.ts';
import type { NewFilesystemOp, Op } from '../../generated/ops.ts';
import { attr } from '../../linux/mount-constants.ts';
import { type Context, namespaceOf } from '../context.ts';
import { mountLabelParameters } from '../process/labels.ts';
import { isTooLong, layersOf, lowerByFlags, needsMountCall } from './mount-by-flags.ts';
import { attachOps, attributeOps, takeOps } from './mount-ops.ts';
import { lastMounts } from './mount-order.ts';
import { type MountRequest, mountRequests } from './mount-request.ts';
import { mapNewFilesystem } from './mount-trees.ts';

/** Mounts a new filesystem of the container's own. */
export function lowerNewFilesystem(context: Context, asked: MountRequest): Op[] {
  const type = filesystemType(asked);
  const request = type === 'overlay' ? withLayers(context, asked) : asked;
  const { options, from, mount } = request;
  if (options.copyUp !== undefined && type !== 'tmpfs') {
    throw new TsrunError(`tmpcopyup is for mounts of type tmpfs, found ${JSON.stringify(type)}`, {
      about: options.copyUp,
    });
  }
  if (needsMountCall(request)) return lowerByFlags(context, request, type);
  const { parameters, attributes } = filesystemOf(context, request, type);
  return [
    {
      op: 'new-filesystem',
      by: 'init',
      from,
      destination: request.destination.path,
      type,
      source: mount.source ?? '',
      parameters,
      attributes,
      // Callers of runc expect this: a tmpfs without a mode gets the mode of the directory that it hides.
      modeFromDestination: type === 'tmpfs' && !parameters.some((parameter) => parameter.startsWith('mode=')),
      ...fallbackOf(context, type, attributes),
    },
    ...mapNewFilesystem(context, request),
    ...copyUpOps(request, parameters),
    ...attributeOps(request, options.recursive, true),
    ...attachOps(context, request),
  ];
}

function filesystemType({ mount, from }: MountRequest): string {
  if (mount.type === undefined || mount.type === '' || mount.type === 'bind' || mount.type === 'none') {
    throw new TsrunError(`${JSON.stringify(mount.type ?? '')} is not a filesystem type`, {
      about: `${from}/type`,
      hint: 'a bind mount needs "bind" or "rbind" in its options; its type does not matter',
    });
  }
  return mount.type;
}

/** Splits a lowerdir that is too long for one parameter into its directories. */
function withLayers(context: Context, request: MountRequest): MountRequest {
  const { parameters } = request.options;
  if (!parameters.some(({ text }) => isTooLong(text))) return request;
  const split = parameters.flatMap((parameter) => {
    const layers = isTooLong(parameter.text) ? layersOf(context, parameter.text) : undefined;
    return layers?.map((text) => ({ ...parameter, text })) ?? [parameter];
  });
  return { ...request, options: { ...request.options, parameters: split } };
}

/**
 * The filesystem's parameters and the mount's attributes. A mount that is copied into is made read-only only
 * afterwards.
 */
function filesystemOf(context: Context, request: MountRequest, type: string) {
  const { options } = request;
  const writable = options.copyUp !== undefined || isProtectedLater(context, request);
  const parameters = options.parameters.map(({ text }) => text).filter((text) => !writable || text !== 'ro');
  const attributes = writable ? options.own.set & ~attr.rdonly : options.own.set;
  return { parameters: [...parameters, ...mountLabelParameters(context, type)], attributes };
}

/**
 * Whether a read-only tmpfs becomes read-only only after devices, the console and later mounts are in it (podman's pods
 * have a read-only /dev). False if a later entry is mounted there, or remounts it.
 */
export function isProtectedLater(context: Context, request: MountRequest): boolean {
  const { mount, options, index, destination } = request;
  const isNewTmpfs = mount.type === 'tmpfs' && options.bind === undefined && !options.remount;
  if (!isNewTmpfs || options.copyUp !== undefined || needsMountCall(request)) return false;
  if ((options.own.set & attr.rdonly) === 0) return false;
  const { on, below } = lastMounts(context);
  // Otherwise the wrong mount would be protected, or this one too soon.
  if ((on.get(destination.path) ?? 0) > index) return false;
  return destination.path === '/dev' || (below.get(destination.path) ?? 0) > index;
}

/** After everything in them has been made. */
export function lowerReadonlyFilesystems(context: Context): Op[] {
  return mountRequests(context)
    .filter((request) => isProtectedLater(context, request))
    .flatMap((request): Op[] => [
      ...takeOps(request, request.index),
      ...attributeOps(request, { ...request.options.own, set: attr.rdonly, clear: 0 }, false),
    ]);
}

function copyUpOps(request: MountRequest, parameters: readonly string[]): Op[] {
  const { options, destination } = request;
  if (options.copyUp === undefined) return [];
  const owner = !parameters.some((parameter) => parameter.startsWith('uid=') || parameter.startsWith('gid='));
  const protect = { ...options.own, set: options.own.set & attr.rdonly, clear: 0 };
  return [
    { op: 'copy-up', by: 'init', from: options.copyUp, destination: destination.path, owner },
    ...attributeOps(request, protect, false),
  ];
}

type Fallback = Pick<NewFilesystemOp, 'fallbackParameters' | 'fallbackTree' | 'fallbackAttributes'>;

const noFallback: Fallback = { fallbackParameters: [], fallbackTree: null, fallbackAttributes: 0 };

/**
 * What to do when the kernel refuses a new sysfs or procfs. It does in a user namespace that does not own the network
 * or pid namespace, or whose creator sees only a part of them.
 */
function fallbackOf(context: Context, type: string, attributes: number): Fallback {
  if (namespaceOf(context, 'user') === undefined && context.host.initialUserNamespace) return noFallback;
  // Uses the host's /sys, read-only: a new one would show the same network devices.
  if (type === 'sysfs') return { ...noFallback, fallbackTree: '/sys', fallbackAttributes: attributes | attr.rdonly };
  if (type !== 'proc') return noFallback;
  // A container with its own pids must not see the host's; the kernel is more willing to mount a procfs without the
  // other files.
  if (namespaceOf(context, 'pid') !== undefined) return { ...noFallback, fallbackParameters: ['subset=pid'] };
  return { ...noFallback, fallbackTree: '/proc', fallbackAttributes: attributes };
}
