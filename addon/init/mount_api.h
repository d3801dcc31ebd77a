// The kernel's descriptor-based mount calls, with errors in the kernel's own words where it gives any.
#pragma once
#include <linux/mount.h>

#include "base.h"

namespace tsrun {

// Attaches a detached mount onto the object that target_fd refers to.
int attach(int mount_fd, int target_fd);
// A detached copy of the mount at an O_PATH descriptor.
long clone_tree(int fd, bool recursive);
// mount_setattr(2) on the mount itself, or on all below it.
int set_attributes(int mount_fd, bool recursive, uint64_t set, uint64_t clear, uint64_t propagation = 0);
// A configured, detached filesystem; parameters are "key=value" or flags.
long new_filesystem(const char* type, const char* source, const List* parameters, uint64_t attributes);

}  // namespace tsrun
