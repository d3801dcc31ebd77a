// The host's mounts that entering the rootfs would leave in the container's mount namespace. If a procfs or sysfs is
// fully visible anywhere in it, the kernel lets user namespaces of the container mount another, without the container's
// masks.
#pragma once
#include "base.h"

namespace tsrun {

// Makes the root of the mount namespace this process's root. In a caller's chroot(2) there are mounts above its "/",
// which pivot_root(2) would not reach. Changes the working directory.
void leave_chroot();
// Sets the propagation (MS_*) of the root mount, or of all mounts.
int set_propagation(bool recursive, uint64_t flags);

// The number that statx(2) gives the mount that a descriptor lies on; 0 if statx(2) fails.
uint64_t mount_id(int fd);

// Detaches the old root's mounts, after the rootfs was moved onto it. Where they are locked (in a user namespace),
// hides every procfs and sysfs among them under an empty tmpfs, which is locked for the namespaces below in turn.
int drop_host_mounts(int old_root_fd);

}  // namespace tsrun
