// Mounts of the config that later paths lead into. What lies below such a mount is reached from its descriptor, not by
// looking up the whole path again: a neighbour that shares the rootfs could rename the mount point meanwhile, and a
// mask, a device or another mount would land beside it.
#pragma once
#include <sys/stat.h>

#include "base.h"

namespace tsrun {

// Where the lookup of a path begins: a held mount, and the rest of the path below it (".": the mount itself).
struct HeldPlace {
  int fd;
  const char* rest;
};

// Finds the last held mount that the path, as it is written, leads into; false if there is none.
bool find_held(const char* path, HeldPlace* place);
// Holds the mount in hand (ctx.mount_fd), which has been attached at the destination.
int hold_attached(const char* destination);
// Call it after a mount was attached onto `target`: if that is a held mount, the new one is held in its place.
int note_attached(int mount_fd, const struct statx& target);
// Stops holding the mounts that are not directly below the root: a mount placed through a symlink may hide them under
// another name, so their paths must be looked up again. Those directly below the root can only be hidden by a mount
// onto them.
void release_nested();
// Closes the descriptors; what check-mounts needs stays.
void close_held();

}  // namespace tsrun
