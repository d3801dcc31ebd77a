// The root filesystem: making it a mount, moving into it, protecting it.
#include "mount_api.h"
#include "ops.h"
#include "path.h"

namespace tsrun {

namespace {
constexpr unsigned long kMsMove = 8192, kMsRec = 16384, kMsSlave = 1 << 19;
constexpr int kMntDetach = 2;
}  // namespace

int run(const SetPropagationOp& op) {
  struct mount_attr attributes = {};
  attributes.propagation = op.flags;
  long error = sys(__NR_mount_setattr, AT_FDCWD, "/", AT_RECURSIVE, &attributes, sizeof(attributes));
  return error < 0 ? fail(error, "/") : 0;
}

int run(const BindRootfsOp& op) {
  const char* path = text(op.path);
  Fd target(open_at(AT_FDCWD, path, O_PATH | O_DIRECTORY, 0));
  if (!target.ok()) return fail(target.error(), path);
  Fd tree(clone_tree(target.get(), true));
  if (!tree.ok()) return fail(tree.error(), path);
  int error = attach(tree.get(), target.get());
  if (error < 0) return fail(error, path);
  ctx.root_fd = tree.release();
  return 0;
}

int run(const PivotRootOp&) {
  Fd old_root(open_at(AT_FDCWD, "/", O_PATH | O_DIRECTORY, 0));
  if (!old_root.ok()) return old_root.error();
  long error = sys(__NR_fchdir, ctx.root_fd);
  if (error < 0) return fail(error, "rootfs");
  error = sys(__NR_pivot_root, ".", ".");
  if (error < 0) return fail(error, "rootfs");
  // The old root lies on top of the new one now. Detaching it must not reach the host through shared mounts.
  sys(__NR_fchdir, old_root.get());
  error = sys(__NR_mount, "", ".", "", kMsSlave | kMsRec, nullptr);
  if (error < 0) return fail(error, "old root");
  error = sys(__NR_umount2, ".", kMntDetach);
  if (error < 0) return fail(error, "old root");
  return static_cast<int>(sys(__NR_chdir, "/"));
}

int run(const MoveRootOp&) {
  long error = sys(__NR_fchdir, ctx.root_fd);
  if (error < 0) return fail(error, "rootfs");
  error = sys(__NR_mount, ".", "/", "", kMsMove, nullptr);
  if (error < 0) return fail(error, "rootfs");
  error = sys(__NR_chroot, ".");
  return error < 0 ? static_cast<int>(error) : static_cast<int>(sys(__NR_chdir, "/"));
}

int run(const ReadonlyRootOp&) { return set_attributes(ctx.root_fd, false, MOUNT_ATTR_RDONLY, 0); }

}  // namespace tsrun
