// Mounts of the config that something later is looked up in. A path is not looked up twice: what lies below such a
// mount is reached from its descriptor, so that a neighbour with a hand in the same rootfs, who renames its mount
// point, cannot have a mask, a device or another mount land beside it.
#pragma once
#include <sys/stat.h>

#include "base.h"

namespace tsrun {

// Where the lookup of a path begins: a held mount, and what is left of the path from there ("." is the mount itself).
struct HeldPlace {
  int fd;
  const char* rest;
};

// The last held mount that the path, as it is written, leads into; false when there is none.
bool find_held(const char* path, HeldPlace* place);
// Holds the mount in hand, which has been attached at the destination.
int hold_attached(const char* destination);
// To be called for a mount that has been attached onto `target`: it may lie on a held one, and is held instead then.
int note_attached(int mount_fd, const struct statx& target);
// A mount that a symbolic link led to may hide others by a name that none of them has: their paths are looked up again.
// Those directly below the root can only be hidden by what is mounted onto them.
void release_nested();
// Closes the descriptors; what check-mounts needs stays.
void close_held();

}  // namespace tsrun
