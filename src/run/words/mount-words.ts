import { constants } from 'node:os';
import type { AttachMountOp, MountByFlagsOp, NewFilesystemOp, Op } from '../../generated/ops.ts';

const { EPERM, ENOENT, EACCES, EINVAL, ENODEV, ENOTDIR, EEXIST, ELOOP, ENXIO, ENOSYS } = constants.errno;

/** The first kernel that has what an op needs; the calls' man pages, and for attributes mount_setattr(2). */
const kernelOf: Partial<Record<Op['op'], { call: string; version: string }>> = {
  'new-filesystem': { call: 'fsopen(2)', version: '5.2' },
  'clone-tree': { call: 'open_tree(2)', version: '5.2' },
  'open-tree': { call: 'open_tree(2)', version: '5.2' },
  'attach-mount': { call: 'move_mount(2)', version: '5.2' },
  'reconfigure-filesystem': { call: 'fspick(2)', version: '5.2' },
  'set-mount-attributes': { call: 'mount_setattr(2)', version: '5.12' },
  'set-propagation': { call: 'mount_setattr(2)', version: '5.12' },
  'map-mount-ids': { call: 'mount_setattr(2)', version: '5.12' },
  'map-tree': { call: 'mount_setattr(2)', version: '5.12' },
};

const nosymfollow = 0x200000n;

/**
 * What to do about a mount or device that the kernel has refused; undefined for other ops and when there is nothing to
 * say.
 *
 * @param where the release of the running kernel, and whether it is in a user namespace that is not the host's
 */
export function mountHint(
  op: Op,
  error: number,
  { kernel, confined }: { kernel: string; confined: boolean },
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
      return sourceHint(op.recursive, error);
    case 'set-mount-attributes':
      return attributeHint(BigInt(op.set) | BigInt(op.clear), error, kernel, confined);
    case 'map-tree':
    case 'map-mount-ids':
      return mappingHint(error, kernel);
    case 'mask-path':
    case 'readonly-path':
      return error === EINVAL ? movedHint : undefined;
    case 'attach-mount':
      return attachHint(op, error);
    case 'make-device':
      return deviceHint(error);
    case 'bind-device':
      return error === ENOENT ? boundHint(op.number) : deviceHint(error);
    default:
      return undefined;
  }
}

/** What values look like (tmpfs(5)), where the kernel says only that it is a bad one. */
const tmpfsValues: Readonly<Record<string, string>> = {
  size: 'bytes, with k, m or g after them, or a share of memory: size=64m, size=50%',
  mode: 'octal digits: mode=1777',
  nr_inodes: 'a number, with k, m or g after it: nr_inodes=10k',
  nr_blocks: 'a number, with k, m or g after it: nr_blocks=16k',
  uid: 'the number of a user',
  gid: 'the number of a group',
};

/**
 * The kernel says which option it does not know or what value it does not take, and nobody what it takes: options that
 * tsrun does not know go to the filesystem.
 */
export function parameterHint(op: Op, detail: string): string | undefined {
  if (op.op !== 'new-filesystem') return undefined;
  if (detail.includes('Unknown parameter')) {
    return `neither an option of mount(8) nor one of ${op.type}: is it misspelt?`;
  }
  const [, option] = /Bad value for '([^']+)'/.exec(detail) ?? [];
  if (option === undefined) return undefined;
  return (
    (op.type === 'tmpfs' ? tmpfsValues[option] : undefined) ??
    `${op.type} takes other values for ${option}: see mount(8)`
  );
}

function filesystemHint(op: NewFilesystemOp | MountByFlagsOp, error: number, confined: boolean): string | undefined {
  const { type } = op;
  if (error === ENODEV) return `the kernel knows no filesystem type ${type}`;
  if (error === EINVAL && type === 'devpts' && confined) {
    return 'its gid must be mapped in the user namespace: leave gid=5 out, as tsrun spec --rootless does';
  }
  if (error !== EPERM) return undefined;
  if (!confined) return 'mounting needs CAP_SYS_ADMIN';
  if (type === 'proc') return procHint;
  if (type === 'sysfs') return 'a new /sys needs a network namespace that belongs to the same user namespace';
  return `${type} cannot be mounted in a user namespace, or not by this one`;
}

/** Of a mount point that another process has renamed or removed. */
export const movedHint =
  'something outside changes this root filesystem while the container is made of it: give the container one that nobody ' +
  'else can write to';

/** The usual reason is that the runtime is in a container itself. */
const procHint =
  'a new /proc needs a pid namespace of its own, and a /proc outside that hides nothing: in a container, start that with ' +
  'systempaths=unconfined (docker), unmask=ALL (podman) or procMount: Unmasked (Kubernetes), or take the config of ' +
  'tsrun spec --rootless';

function sourceHint(recursive: boolean, error: number): string | undefined {
  if (error === ENOENT) return 'the source of a bind mount must be there; a relative one counts from the bundle';
  if (error === EACCES) return 'a directory on the way to it is closed to the container’s user';
  if (error !== EINVAL) return undefined;
  return recursive
    ? 'an unbindable mount cannot be bound'
    : 'an unbindable mount cannot be bound, nor in a user namespace one with other mounts below it: try rbind';
}

function attachHint({ destination, realDirectory }: AttachMountOp, error: number): string | undefined {
  if (error === ENOTDIR) return 'a directory goes onto a directory only, and a file onto a file';
  if (error === EEXIST) return 'copy-symlink makes a link, and something else is there: remove it from the image';
  if (error !== ELOOP || !(realDirectory || destination === '/dev')) return undefined;
  return '/proc, /sys and /dev must be directories, to which no symbolic link leads';
}

function attributeHint(named: bigint, error: number, kernel: string, confined: boolean): string | undefined {
  if (error === EINVAL && (named & nosymfollow) !== 0n) {
    return `nosymfollow needs Linux 5.14 or later; this is ${kernel}`;
  }
  if (error !== EPERM) return undefined;
  if (!confined) return 'changing the attributes of a mount needs CAP_SYS_ADMIN';
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

function deviceHint(error: number): string | undefined {
  if (error === EEXIST) return 'the image has something else there: remove it, or mount a tmpfs on /dev';
  if (error === ENXIO) return 'the host’s node there is another device than the config says';
  if (error === EPERM) return 'making it needs CAP_MKNOD, and a device cgroup around the runtime that allows it';
  return undefined;
}
