// Paths that are hidden or made read-only after the mounts.
#include <linux/openat2.h>

#include "held_mounts.h"
#include "mount_api.h"
#include "ops.h"
#include "path.h"

namespace tsrun {

namespace {

// The container's /dev/null, if it is the null device and not a symlink or a file of the image (CVE-2025-31133).
int verified_null() {
  if (ctx.null_fd >= 0) return ctx.null_fd;
  Fd null(open_in_root("/dev/null", O_PATH | O_NOFOLLOW));
  if (!null.ok()) return null.error();
  struct statx status = {};
  int error = status_of(null.get(), &status);
  if (error < 0) return fail(error, "/dev/null");
  bool is_null = (status.stx_mode & S_IFMT) == S_IFCHR && status.stx_rdev_major == 1 && status.stx_rdev_minor == 3;
  if (!is_null) return fail(-ENODEV, "/dev/null is not the null device");
  return ctx.null_fd = null.release();
}

int attach_over(int mount_fd, int target_fd, const struct statx& target) {
  int error = attach(mount_fd, target_fd);
  return error < 0 ? error : note_attached(mount_fd, target);
}

// One empty read-only tmpfs serves every masked directory: the first mask mounts it, the others bind it.
int mask_directory(int target_fd, const struct statx& target) {
  if (ctx.mask_fd >= 0) {
    Fd copy_of_mask(clone_tree(ctx.mask_fd, false));
    return copy_of_mask.ok() ? attach_over(copy_of_mask.get(), target_fd, target) : copy_of_mask.error();
  }
  Filesystem tmpfs = {};
  tmpfs.type = tmpfs.source = "tmpfs";
  tmpfs.attributes = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
  long empty = new_filesystem(tmpfs);
  if (empty < 0) return static_cast<int>(empty);
  ctx.mask_fd = static_cast<int>(empty);
  return attach_over(ctx.mask_fd, target_fd, target);
}

// The path does not exist, or its parent is not a directory: nothing to protect.
bool absent(int error) { return error == -ENOENT || error == -ENOTDIR; }

}  // namespace

int run(const MaskPathOp& op) {
  const char* path = text(op.path);
  Fd target(open_in_root(path, O_PATH));
  if (!target.ok()) return absent(target.error()) ? 0 : target.error();
  struct statx status = {};
  int error = status_of(target.get(), &status);
  if (error < 0) return fail(error, path);
  if ((status.stx_mode & S_IFMT) == S_IFDIR) {
    error = mask_directory(target.get(), status);
    return error < 0 ? fail(error, path) : 0;
  }
  int null = verified_null();
  if (null < 0) return null;
  Fd tree(clone_tree(null, false));
  if (!tree.ok()) return fail(tree.error(), "/dev/null");
  error = attach_over(tree.get(), target.get(), status);
  return error < 0 ? fail(error, path) : 0;
}

int run(const ReadonlyPathOp& op) {
  const char* path = text(op.path);
  Fd target(open_in_root(path, O_PATH));
  if (!target.ok()) return absent(target.error()) ? 0 : target.error();
  struct statx status = {};
  int error = status_of(target.get(), &status);
  if (error < 0) return fail(error, path);
  Fd tree(clone_tree(target.get(), true));
  if (!tree.ok()) return fail(tree.error(), path);
  error = set_attributes(tree.get(), true, MOUNT_ATTR_RDONLY, 0);
  if (error < 0) return fail(error, path);
  error = attach_over(tree.get(), target.get(), status);
  return error < 0 ? fail(error, path) : 0;
}

}  // namespace tsrun
