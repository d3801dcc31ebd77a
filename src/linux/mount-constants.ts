/** MOUNT_ATTR_* of mount_setattr(2). */
export const attr = {
  rdonly: 0x1,
  nosuid: 0x2,
  nodev: 0x4,
  noexec: 0x8,
  /** A number, not flags; 0 is relatime. */
  atimeMask: 0x70,
  noatime: 0x10,
  strictatime: 0x20,
  nodiratime: 0x80,
  nosymfollow: 0x200000,
} as const;

/** MS_* of mount(2) that belong to the filesystem and not to a single mount of it. */
export const superblock = {
  rdonly: 1,
  synchronous: 1 << 4,
  mandlock: 1 << 6,
  dirsync: 1 << 7,
  silent: 1 << 15,
  iversion: 1 << 23,
  lazytime: 1 << 25,
} as const;

/** MS_UNBINDABLE, MS_PRIVATE, MS_SLAVE, MS_SHARED of mount(2). */
export const propagationFlags = {
  unbindable: 1 << 17,
  private: 1 << 18,
  slave: 1 << 19,
  shared: 1 << 20,
} as const;
