// Mounts of the config, and the paths that are hidden or made read-only after them.
#include <linux/openat2.h>
#include <sys/stat.h>

#include "mount_api.h"
#include "ops.h"
#include "path.h"

namespace tsrun {

namespace {

// /proc and /sys must be real directories: through a symlink the container's own files would be taken for the
// kernel's (CVE-2019-19921, CVE-2023-27561).
long real_directory(const char* path) {
  Fd made(make_directories(path));
  if (!made.ok()) return made.error();
  long fd = open_at(ctx.root_fd, path + (path[0] == '/'), O_PATH | O_DIRECTORY | O_NOFOLLOW,
                    RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
  return fd < 0 ? fail(fd, path) : fd;
}

int status_of(int fd, struct statx* status) {
  return static_cast<int>(sys(__NR_statx, fd, "", AT_EMPTY_PATH, STATX_TYPE | STATX_INO, status));
}

// The container's /dev/null, only if it is the null device: a symlink or a file of the image's is not (CVE-2025-31133).
int verified_null() {
  if (ctx.null_fd >= 0) return ctx.null_fd;
  Fd null(open_at(ctx.root_fd, "dev/null", O_PATH | O_NOFOLLOW, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS));
  if (!null.ok()) return fail(null.error(), "/dev/null");
  struct statx status = {};
  int error = status_of(null.get(), &status);
  if (error < 0) return fail(error, "/dev/null");
  bool is_null = (status.stx_mode & S_IFMT) == S_IFCHR && status.stx_rdev_major == 1 && status.stx_rdev_minor == 3;
  if (!is_null) return fail(-ENODEV, "/dev/null is not the null device");
  return ctx.null_fd = null.release();
}

// One empty read-only tmpfs serves every masked directory: the first mask mounts it, the others bind it.
int mask_directory(int target_fd, const char* path) {
  if (ctx.mask_fd >= 0) {
    Fd copy_of_mask(clone_tree(ctx.mask_fd, false));
    if (!copy_of_mask.ok()) return fail(copy_of_mask.error(), path);
    return attach(copy_of_mask.get(), target_fd);
  }
  long empty = new_filesystem("tmpfs", "tmpfs", nullptr,
                              MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
  if (empty < 0) return static_cast<int>(empty);
  ctx.mask_fd = static_cast<int>(empty);
  return attach(ctx.mask_fd, target_fd);
}

// Not there, or its parent is no directory: nothing to protect.
bool absent(int error) { return error == -ENOENT || error == -ENOTDIR; }

}  // namespace

int run(const MountOp& op) {
  const char* destination = text(op.destination);
  Fd target(op.real_directory ? real_directory(destination) : make_directories(destination));
  if (!target.ok()) return target.error();
  Fd mount(new_filesystem(text(op.type), text(op.source), &op.parameters, op.attributes));
  if (!mount.ok()) return mount.error();
  int error = attach(mount.get(), target.get());
  return error < 0 ? fail(error, destination) : 0;
}

int run(const MaskPathOp& op) {
  const char* path = text(op.path);
  Fd target(open_in_root(path, O_PATH));
  if (!target.ok()) return absent(target.error()) ? 0 : target.error();
  struct statx status = {};
  int error = status_of(target.get(), &status);
  if (error < 0) return fail(error, path);
  if ((status.stx_mode & S_IFMT) == S_IFDIR) {
    error = mask_directory(target.get(), path);
    return error < 0 ? fail(error, path) : 0;
  }
  int null = verified_null();
  if (null < 0) return null;
  Fd tree(clone_tree(null, false));
  if (!tree.ok()) return fail(tree.error(), "/dev/null");
  error = attach(tree.get(), target.get());
  return error < 0 ? fail(error, path) : 0;
}

int run(const ReadonlyPathOp& op) {
  const char* path = text(op.path);
  Fd target(open_in_root(path, O_PATH));
  if (!target.ok()) return absent(target.error()) ? 0 : target.error();
  Fd tree(clone_tree(target.get(), true));
  if (!tree.ok()) return fail(tree.error(), path);
  int error = set_attributes(tree.get(), true, MOUNT_ATTR_RDONLY, 0);
  if (error < 0) return fail(error, path);
  error = attach(tree.get(), target.get());
  return error < 0 ? fail(error, path) : 0;
}

}  // namespace tsrun
