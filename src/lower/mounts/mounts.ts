import { TsrunError } from '../../errors.ts';
import type { Op } from '../../generated/ops.ts';
import type { Context } from '../context.ts';
import { lowerCgroupMount } from './cgroup-mount.ts';
import { isTooLong } from './mount-by-flags.ts';
import { isProtectedLater, lowerNewFilesystem } from './mount-new.ts';
import { attachOps, attributeOps, keepOps, propagationOps, takeOps } from './mount-ops.ts';
import { filesystemOnly, needsMountFlags, optionPointer, refuseData } from './mount-options.ts';
import { type MountRequest, mountRequests } from './mount-request.ts';
import { bindSource } from './mount-trees.ts';
import { hasOwnPropagation } from './rootfs.ts';

/** config.md, Mounts, in the listed order. */
export function lowerMounts(context: Context): Op[] {
  const requests = mountRequests(context);
  const remounted = remountedBy(requests);
  const kept = new Set(remounted.values());
  return requests.flatMap((request) => {
    const ops = request.options.remount
      ? lowerRemount(context, request, remounted.get(request))
      : lowerMount(context, request);
    const neededLater = isProtectedLater(context, request) || hasOwnPropagation(context, request);
    return kept.has(request) || neededLater ? [...ops, ...keepOps(request)] : ops;
  });
}

/** For each remount, the entry that made its mount, if there is one: the last earlier one with the same destination. */
function remountedBy(requests: readonly MountRequest[]): Map<MountRequest, MountRequest> {
  const last = new Map<string, MountRequest>();
  const made = new Map<MountRequest, MountRequest>();
  for (const request of requests) {
    const { path } = request.destination;
    const before = last.get(path);
    if (!request.options.remount) last.set(path, request);
    else if (before !== undefined) made.set(request, before);
  }
  return made;
}

/** Only its options make an entry a bind mount; its type does not matter. */
function lowerMount(context: Context, request: MountRequest): Op[] {
  const { type } = request.mount;
  if (request.options.bind !== undefined) return lowerBind(context, request);
  refuseCopyLink(request);
  if (type === 'cgroup' || type === 'cgroup2') return lowerCgroupMount(context, request);
  return lowerNewFilesystem(context, request);
}

function lowerBind(context: Context, request: MountRequest): Op[] {
  const { mount, options, from, destination } = request;
  refuseData(options, from, 'a bind mount takes no options of a filesystem');
  if (options.copyUp !== undefined)
    throw new TsrunError('tmpcopyup is for mounts of type tmpfs', { about: options.copyUp });
  warnOfFilesystemOptions(context, request);
  return [
    {
      op: 'clone-tree',
      by: 'init',
      from: `${from}/source`,
      destination: destination.path,
      source: bindSource(context, mount),
      recursive: options.bind === 'rbind',
      noFollow: options.copyLink !== undefined,
      tree: request.slot,
      procOnly: destination.procOnly,
      emptyIfMissing: false,
    },
    ...attributeOps(request, options.own, false),
    ...attributeOps(request, options.recursive, true),
    ...attachOps(context, request),
  ];
}

/** crun(1), copy-symlink mount option: it concerns a bind's source, so other mounts refuse it. */
function refuseCopyLink({ options: { copyLink } }: MountRequest): void {
  if (copyLink !== undefined) throw new TsrunError('copy-symlink is for new bind mounts', { about: copyLink });
}

/**
 * Filesystems of which the kernel has only one, or one for each namespace: a change would affect the host's as well.
 */
const sharedTypes: readonly string[] = [
  ...['cgroup', 'cgroup2', 'sysfs', 'mqueue', 'securityfs', 'debugfs', 'tracefs', 'configfs', 'fusectl'],
  ...['binfmt_misc', 'efivarfs', 'pstore', 'selinuxfs', 'resctrl'],
];

/**
 * Changes an existing mount: with bind only the mount's own attributes, otherwise also its filesystem's parameters.
 * Anything not named stays.
 *
 * @param made the entry that made the mount. The mount is found by its descriptor, because a symlink on the way to its
 *   destination may lead elsewhere by now.
 */
function lowerRemount(context: Context, request: MountRequest, made: MountRequest | undefined): Op[] {
  const { options, from, destination } = request;
  const path = destination.path;
  refuseCopyLink(request);
  const ops: Op[] =
    made === undefined ? [{ op: 'find-mount', by: 'init', from, destination: path }] : takeOps(request, made.index);
  if (options.bind !== undefined) {
    refuseData(options, from, 'remount with bind changes no filesystem');
    warnOfFilesystemOptions(context, request);
  } else if (made !== undefined && sharedTypes.includes(made.mount.type ?? '')) {
    refuseData(options, from, `a remount of ${made.mount.type} would change the host's`);
    warnOfFilesystemOptions(context, request);
  } else {
    refuseForeignFilesystem(request, made);
    refuseLongParameters(request);
    const parameters = options.parameters.map(({ text }) => text);
    if (parameters.length > 0) {
      ops.push({ op: 'reconfigure-filesystem', by: 'init', from: `${from}/options`, destination: path, parameters });
    }
  }
  return [
    ...ops,
    ...attributeOps(request, options.own, false),
    ...attributeOps(request, options.recursive, true),
    ...propagationOps(request),
  ];
}

/** The filesystem of a bind mount belongs to the host. */
function refuseForeignFilesystem({ options, from }: MountRequest, made: MountRequest | undefined): void {
  if (needsMountFlags(options)) {
    throw new TsrunError('iversion and silent are for new filesystems, not for remount', { about: `${from}/options` });
  }
  if (made !== undefined && made.options.bind === undefined) return;
  throw new TsrunError(`remount would change a filesystem that is not the container's own`, {
    about: `${from}/options`,
    hint: 'add bind, to change only how it is mounted here',
  });
}

/** They cannot be split up: fspick(2) does not allow it, and mount(2) takes no descriptor. */
function refuseLongParameters({ options, from }: MountRequest): void {
  const long = options.parameters.find(({ text }) => isTooLong(text));
  if (long === undefined) return;
  throw new TsrunError('a remount takes values of up to 255 bytes', {
    about: optionPointer(from, long.option),
    hint: 'give it in the options of the mount itself',
  });
}

function warnOfFilesystemOptions(context: Context, { options, from }: MountRequest): void {
  for (const name of filesystemOnly(options)) {
    context.warnings.push({
      pointer: `${from}/options`,
      message: `${name} is an option of the filesystem, which other mounts share: no effect`,
    });
  }
}
