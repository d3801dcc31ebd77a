/** MOUNT_ATTR_* of mount_setattr(2). */
const attr = {
  rdonly: 0x1,
  nosuid: 0x2,
  nodev: 0x4,
  noexec: 0x8,
  atimeMask: 0x70,
  noatime: 0x10,
  strictatime: 0x20,
  nodiratime: 0x80,
  nosymfollow: 0x200000,
} as const;

/** What an option of fstab(5) does to the mount's attributes. */
export interface AttributeOption {
  readonly set: number;
  readonly clear: number;
}

/** Per-mount options (config.md, Linux mount options). The default of atime is relatime, whose value is 0. */
export const attributeOptions: Readonly<Record<string, AttributeOption>> = {
  ro: { set: attr.rdonly, clear: 0 },
  rw: { set: 0, clear: attr.rdonly },
  nosuid: { set: attr.nosuid, clear: 0 },
  suid: { set: 0, clear: attr.nosuid },
  nodev: { set: attr.nodev, clear: 0 },
  dev: { set: 0, clear: attr.nodev },
  noexec: { set: attr.noexec, clear: 0 },
  exec: { set: 0, clear: attr.noexec },
  noatime: { set: attr.noatime, clear: attr.atimeMask },
  atime: { set: 0, clear: attr.noatime },
  relatime: { set: 0, clear: attr.atimeMask },
  norelatime: { set: 0, clear: 0 },
  strictatime: { set: attr.strictatime, clear: attr.atimeMask },
  nostrictatime: { set: 0, clear: attr.strictatime },
  nodiratime: { set: attr.nodiratime, clear: 0 },
  diratime: { set: 0, clear: attr.nodiratime },
  nosymfollow: { set: attr.nosymfollow, clear: 0 },
  symfollow: { set: 0, clear: attr.nosymfollow },
  defaults: { set: 0, clear: attr.rdonly | attr.nosuid | attr.nodev | attr.noexec },
};
