// Paths inside the rootfs. They are opened from its descriptor with openat2(2) and RESOLVE_IN_ROOT, and from then on
// used by descriptor: no symlink can lead out of the rootfs, and what was checked is what is used (CVE-2021-30465 and
// its like).
#pragma once
#include <sys/stat.h>

#include "base.h"

namespace tsrun {

// Opens path below dir_fd; flags as open(2), resolve as openat2(2). Retries where the kernel asks to.
long open_at(int dir_fd, const char* path, uint64_t flags, uint64_t resolve, uint64_t mode = 0);
// Opens a path inside the rootfs, from the last held mount that it leads into. Adds O_CLOEXEC and the RESOLVE_* flags.
long open_in_root(const char* path, uint64_t flags, uint64_t resolve = 0);
// Makes every missing directory of path inside the rootfs, and what a dangling symlink on the way points to; returns an
// O_PATH descriptor of the last, or an error. ctx.through_link says whether a symlink was on the way.
long make_directories(const char* path, uint32_t mode = 0755);
// Opens the directory that holds the last component (made when missing) and points name at that component.
long open_parent(const char* path, const char** name);
// Makes an empty file if nothing is there, behind a dangling symlink too; returns an O_PATH descriptor.
long make_file(const char* path);
// Opens a directory of the rootfs, made if missing, whose path has no symlink: through one, the container's own files
// would be taken for the kernel's (CVE-2019-19921, CVE-2023-27561).
long real_directory(const char* path);

// statx(2) of a descriptor: type, mode, owner, device numbers, mount id.
int status_of(int fd, struct statx* status);
bool is_directory(int fd);
// The filesystem's magic number (fstatfs(2)), or an error.
long filesystem_of(int fd);
bool is_procfs(int fd);
// Whether a descriptor is on the procfs that the container has at /proc, however its path was written.
bool on_container_proc(int fd);

}  // namespace tsrun
