// The kernel's descriptor-based mount calls, with errors in the kernel's own words where it gives any.
#pragma once
#include <linux/mount.h>

#include "base.h"

namespace tsrun {

// What a new filesystem is made of. Parameters are "key=value" or flags.
struct Filesystem {
  const char* type;
  const char* source;      // nullptr or empty: none
  const List* parameters;  // nullptr: none
  const List* more;        // further parameters, nullptr: none
  const char* mode;        // a "mode=…" parameter before the others, nullptr: none
  uint64_t attributes;     // MOUNT_ATTR_*
};

// Attaches a detached mount onto the object that target_fd refers to.
int attach(int mount_fd, int target_fd);
// A detached copy of the mount at an O_PATH descriptor.
long clone_tree(int fd, bool recursive);
// A detached copy of what is at a path in init's mount namespace. A symlink at its end is followed, or copied itself
// with no_follow.
long clone_path(const char* path, bool recursive, bool no_follow = false);
// mount_setattr(2) on the mount itself, or on its whole tree.
int set_attributes(int mount_fd, bool recursive, uint64_t set, uint64_t clear, uint64_t propagation = 0);
// ID-maps a detached mount with the mappings of a user namespace.
int map_ids(int mount_fd, bool recursive, int namespace_fd);
// A configured, detached filesystem.
long new_filesystem(const Filesystem& wanted);
// Changes the parameters of a mount's filesystem.
int reconfigure(int mount_fd, const List& parameters);

// Keeps a mount under a number of the plan; takes the descriptor.
int keep(uint64_t number, int mount_fd);

// Makes this the mount in hand (ctx.mount_fd) for the next ops, and closes the one before.
void hold(long mount_fd);

}  // namespace tsrun
