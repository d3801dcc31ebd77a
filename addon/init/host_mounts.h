// What a way into the rootfs would leave of the host in the container's mount namespace. A procfs or sysfs that is seen
// as a whole anywhere in it is all that the kernel asks for before it lets any user namespace of the container mount
// another, without the container's masks.
#pragma once
#include "base.h"

namespace tsrun {

// Makes the top of the mount namespace this process's root. What a caller in a chroot(2) cannot see is above its "/",
// where pivot_root(2) would not reach it. Changes the working directory.
void leave_chroot();
// Propagation (MS_*) of the root mount, or of all mounts.
int set_propagation(bool recursive, uint64_t flags);

// The mount that a descriptor lies on, as statx(2) numbers it; 0 when it cannot be told.
uint64_t mount_id(int fd);

// With the rootfs moved onto the old root: detaches the old root's mounts. Where they are locked (a user namespace),
// every procfs and sysfs among them is hidden under an empty tmpfs, which is locked in its turn in the namespaces
// below.
int drop_host_mounts(int old_root_fd);

}  // namespace tsrun
