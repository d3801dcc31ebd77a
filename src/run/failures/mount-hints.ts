import { readFileSync, statSync } from 'node:fs';
import { constants } from 'node:os';
import { basename, join } from 'node:path';
import type {
  AttachMountOp,
  CloneTreeOp,
  MountByFlagsOp,
  NewFilesystemOp,
  Op,
  OpenTreeOp,
} from '../../generated/ops.ts';
import { meantFilesystem, meantOption } from '../../linux/mount-suggestions.ts';

/** From errno(3); node:os lacks it. */
const ENOTBLK = 15;
const { EPERM, ENOENT, EACCES, EINVAL, ENODEV, ENOTDIR, EEXIST, ELOOP, ENXIO, ENOSYS } = constants.errno;

/** The first kernel that has what an op needs: from the calls' man pages, and for attributes mount_setattr(2). */
const kernelOf: Partial<Record<Op['op'], { call: string; version: string }>> = {
  'new-filesystem': { call: 'fsopen(2)', version: '5.2' },
  'clone-tree': { call: 'open_tree(2)', version: '5.2' },
  'open-tree': { call: 'open_tree(2)', version: '5.2' },
  'enter-small-mounts': { call: 'open_tree(2)', version: '5.2' },
  'attach-mount': { call: 'move_mount(2)', version: '5.2' },
  'reconfigure-filesystem': { call: 'fspick(2)', version: '5.2' },
  'set-mount-attributes': { call: 'mount_setattr(2)', version: '5.12' },
  'set-propagation': { call: 'mount_setattr(2)', version: '5.12' },
  'map-mount-ids': { call: 'mount_setattr(2)', version: '5.12' },
  'map-tree': { call: 'mount_setattr(2)', version: '5.12' },
};

const nosymfollow = 0x200000n;

/**
 * What to do about a mount or device that the kernel refused; undefined for other ops and when there is nothing to say.
 *
 * @param where the release of the running kernel, and whether it is in a user namespace that is not the host's
 */
export function mountHint(
  op: Op,
  error: number,
  { kernel, confined }: { kernel: string; confined: boolean },
  ops: readonly Op[] = [],
): string | undefined {
  const needs = kernelOf[op.op];
  if (error === ENOSYS && needs !== undefined) {
    return `${needs.call} needs Linux ${needs.version} or later; this is ${kernel}`;
  }
  switch (op.op) {
    case 'new-filesystem':
    case 'mount-by-flags':
      return filesystemHint(op, error, confined);
    case 'clone-tree':
    case 'open-tree':
      return sourceHint(op, error, confined);
    case 'set-mount-attributes':
      return mountAttributeHint(BigInt(op.set) | BigInt(op.clear), error, kernel, confined);
    case 'map-tree':
    case 'map-mount-ids':
      return mappingHint(error, kernel);
    case 'mask-path':
    case 'readonly-path':
      return error === EINVAL ? movedHint : undefined;
    case 'attach-mount':
      return attachHint(op, error, ops);
    case 'make-device':
      return deviceHint(op.path, error);
    case 'bind-device':
      return error === ENOENT ? boundHint(op.number) : deviceHint(op.path, error);
    default:
      return undefined;
  }
}

/** What valid values look like (tmpfs(5)); the kernel only says that a value is bad. */
const tmpfsValues: Readonly<Record<string, string>> = {
  size: 'bytes, with k, m or g after them, or a share of memory: size=64m, size=50%',
  mode: 'octal digits: mode=1777',
  nr_inodes: 'a number, with k, m or g after it: nr_inodes=10k',
  nr_blocks: 'a number, with k, m or g after it: nr_blocks=16k',
  uid: 'the number of a user',
  gid: 'the number of a group',
};

/**
 * The kernel says which option or value it does not accept, but not what it does accept. Options unknown to tsrun are
 * passed to the filesystem.
 */
export function parameterHint(op: Op, detail: string): string | undefined {
  if (op.op !== 'new-filesystem') return undefined;
  if (detail.includes('Unknown parameter')) {
    const [, word = ''] = /'([^']+)'/.exec(detail) ?? [];
    return `neither an option of mount(8) nor one of ${op.type}: ${meantOption(word, op.type) ?? 'is it misspelt?'}`;
  }
  const [, option] = /Bad value for '([^']+)'/.exec(detail) ?? [];
  if (option === undefined) return undefined;
  return (
    (op.type === 'tmpfs' ? tmpfsValues[option] : undefined) ??
    `${op.type} takes other values for ${option}: see mount(8)`
  );
}

function devptsHint(op: NewFilesystemOp | MountByFlagsOp): string {
  const options = op.op === 'new-filesystem' ? op.parameters : op.data.split(',');
  return options.some((option) => option.startsWith('gid='))
    ? 'its gid must be mapped in the user namespace: leave gid=5 out, as tsrun spec --rootless does'
    : 'it belongs to root of the user namespace, which must map ID 0';
}

function filesystemHint(op: NewFilesystemOp | MountByFlagsOp, error: number, confined: boolean): string | undefined {
  const { type } = op;
  if (error === ENOTBLK) return 'the source must be a block device: losetup(8) makes one of an image';
  if (error === ENODEV) {
    const meant = meantFilesystem(type, textOf('/proc/filesystems'));
    return `the kernel knows no filesystem type ${type}${meant === undefined ? '' : `: ${meant}`}`;
  }
  if (error === EINVAL && type === 'devpts' && confined) {
    return devptsHint(op);
  }
  if (error !== EPERM) return undefined;
  if (!confined) return forbiddenAround;
  if (type === 'proc') return procHint;
  if (type === 'sysfs') return 'a new /sys needs a network namespace that belongs to the same user namespace';
  return `${type} cannot be mounted in a user namespace, or not in this one`;
}

/** Never a missing CAP_SYS_ADMIN: a container made without it is in a user namespace, where the runtime has it. */
export const forbiddenAround =
  'a seccomp filter or a security module around the runtime forbids it, as those of docker and Kubernetes do';

/** For a mount point that another process has renamed or removed. */
export const movedHint =
  'something else is changing this root filesystem while the container is created: give the container one that nobody ' +
  'else can write to';

/** The usual reason is that the runtime itself runs in a container. */
const procHint =
  'a new /proc needs a new pid namespace, and an outer /proc that hides nothing: if tsrun runs in a container, start that with ' +
  'systempaths=unconfined (docker), unmask=ALL (podman) or procMount: Unmasked (Kubernetes), or use the config of ' +
  'tsrun spec --rootless';

function sourceHint({ op, from, recursive }: CloneTreeOp | OpenTreeOp, error: number, confined: boolean) {
  if (error === ENOENT) {
    if (from === '/root/path') return 'the root filesystem must be there; a relative path starts at the bundle';
    return 'the source of a bind mount must be there; a relative one starts at the bundle';
  }
  if (error === EACCES) {
    const whose = op === 'clone-tree' && confined ? 'the container’s user' : 'the runtime, on NFS or FUSE even to root';
    return `a directory on the way to it is closed to ${whose}`;
  }
  if (error !== EINVAL) return undefined;
  const cannot = 'what is unbindable, or in another mount namespace (/proc/PID/root), cannot be bound';
  const isCut = op === 'clone-tree' && confined && !recursive;
  return isCut ? `${cannot}; in a user namespace, neither can what has other mounts below it: try rbind` : cannot;
}

function attachHint(
  { destination, realDirectory }: AttachMountOp,
  error: number,
  ops: readonly Op[],
): string | undefined {
  if (error === ENOTDIR) return notOnto(destination, sourceOf(ops, destination));
  if (error === EEXIST) return 'copy-symlink makes a link, and something else is there: remove it from the image';
  if (error !== ELOOP || !(realDirectory || destination === '/dev')) return undefined;
  return '/proc, /sys and /dev must be directories, not symbolic links';
}

/** The source of the tree that the mount there holds. */
function sourceOf(ops: readonly Op[], destination: string): string | undefined {
  const tree = ops.find((op) => op.op === 'clone-tree' && op.destination === destination);
  return tree !== undefined && 'source' in tree ? tree.source : undefined;
}

function notOnto(destination: string, source: string | undefined): string {
  const rule = 'a directory goes onto a directory only, and a file onto a file';
  const isFile = source === undefined ? undefined : isFileOfHost(source);
  if (source === undefined || isFile === undefined) return rule;
  if (!isFile)
    return `${rule}: the source ${source} is a directory, so the destination must be none of the image’s files`;
  const inside = join(destination, basename(source));
  return `${rule}: the source ${source} is a file, so name a file as destination, such as ${inside}`;
}

/** Empty if it cannot be read: it only helps to explain another error. */
function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** Undefined if this cannot be found out: it only helps to explain another error. */
function isFileOfHost(path: string): boolean | undefined {
  try {
    return !statSync(path).isDirectory();
  } catch {
    return undefined;
  }
}

function mountAttributeHint(named: bigint, error: number, kernel: string, confined: boolean): string | undefined {
  if (error === EINVAL && (named & nosymfollow) !== 0n) {
    return `nosymfollow needs Linux 5.14 or later; this is ${kernel}`;
  }
  if (error !== EPERM) return undefined;
  if (!confined) return forbiddenAround;
  return 'an attribute that a more privileged mount namespace has set cannot be taken away in a user namespace';
}

function mappingHint(error: number, kernel: string): string | undefined {
  if (error === EPERM) return 'ID-mapping needs CAP_SYS_ADMIN in the user namespace that the filesystem belongs to';
  if (error !== EINVAL) return undefined;
  return (
    'its filesystem cannot be ID-mapped by this kernel, or is already ' +
    `(ext4, xfs: Linux 5.12; btrfs: 5.15; overlay: 5.19; tmpfs: 6.3; this is ${kernel})`
  );
}

function boundHint(number: number | bigint): string {
  if (number >= 0) return 'the host has no such node, and the kernel did not let one be made (see the warning)';
  return 'in a user namespace the host’s own node is bound, so it must be there';
}

function deviceHint(path: string, error: number): string | undefined {
  if (error === EEXIST) {
    return `the image has something else there: remove it${path.startsWith('/dev/') ? ', or mount a tmpfs on /dev' : ''}`;
  }
  if (error === ENXIO) return 'the host’s node there is a different device from the config’s';
  if (error === EPERM) return 'making it needs CAP_MKNOD, and a device cgroup around the runtime that allows it';
  return undefined;
}
