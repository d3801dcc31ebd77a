// The root filesystem: making it a mount, moving into it, protecting it.
#include "host_mounts.h"
#include "mount_api.h"
#include "ops.h"
#include "path.h"

namespace tsrun {

namespace {

constexpr unsigned long kMsMove = 8192, kMsRec = 16384, kMsPrivate = 1 << 18, kMsSlave = 1 << 19;
constexpr int kMntDetach = 2;

// Makes the mount that a directory lies on private. Otherwise a mount made there would reach its peers on the host, and
// pivot_root(2) would refuse a new root there.
int make_private_below(int directory_fd) {
  Fd at(open_at(directory_fd, ".", O_PATH | O_DIRECTORY, 0));
  for (uint64_t below = 0;;) {
    struct statx status = {};
    int error = at.ok() ? status_of(at.get(), &status) : at.error();
    if (error < 0) return error;
    if ((status.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0) break;
    // In a root that is no mount point (a caller's chroot), ".." leads to itself.
    if (status.stx_ino == below) return -EINVAL;
    below = status.stx_ino;
    at.reset(open_at(at.get(), "..", O_PATH | O_DIRECTORY, 0));
  }
  return set_attributes(at.get(), false, 0, 0, kMsPrivate);
}

// The rootfs is attached at its own path, as hooks on the host expect. A user namespace may be unable to reach that
// path; then the tree that the runtime has opened is attached over "/" until pivot-root.
int open_rootfs(const BindRootfsOp& op, bool is_mapped, Fd& target, Fd& tree) {
  target.reset(open_at(AT_FDCWD, text(op.path), O_PATH | O_DIRECTORY, 0));
  bool hidden = target.error() == -EACCES && op.tree >= 0;
  if (hidden) target.reset(open_at(AT_FDCWD, "/", O_PATH | O_DIRECTORY, 0));
  if (hidden || is_mapped) {
    tree.reset(op.tree);
    return target.ok() ? 0 : target.error();
  }
  if (!target.ok()) return target.error();
  // Copied in this mount namespace, where the attributes of the host's mounts are locked.
  tree.reset(clone_tree(target.get(), true));
  return tree.ok() ? 0 : tree.error();
}

// Leaves a caller's chroot(2) for the root of the mount namespace, which is what pivot_root(2) and a move replace. If
// the rootfs lies over "/", leave_chroot() leads into the rootfs; then the root is set back to the one below it.
int enter_old_root(Fd& old_root) {
  Fd before(open_at(AT_FDCWD, "/", O_PATH | O_DIRECTORY, 0));
  if (!before.ok()) return before.error();
  leave_chroot();
  old_root.reset(open_at(AT_FDCWD, "/", O_PATH | O_DIRECTORY, 0));
  if (!old_root.ok()) return old_root.error();
  if (mount_id(old_root.get()) != mount_id(ctx.root_fd)) return 0;
  long error = sys(__NR_fchdir, before.get());
  if (error == 0) error = sys(__NR_chroot, ".");
  old_root.reset(before.release());
  return static_cast<int>(error);
}

}  // namespace

int set_propagation(bool recursive, uint64_t flags) {
  Fd root(open_at(AT_FDCWD, "/", O_PATH | O_DIRECTORY, 0));
  Fd directory(open_at(AT_FDCWD, ".", O_PATH | O_DIRECTORY, 0));
  if (!root.ok() || !directory.ok()) return root.ok() ? directory.error() : root.error();
  long error = set_attributes(root.get(), recursive, 0, 0, flags);
  if (error != -EINVAL) return error < 0 ? fail(error, "/") : 0;
  // "/" is a caller's chroot(2) and no mount point: set it from the root of the mount namespace.
  leave_chroot();
  Fd top(open_at(AT_FDCWD, "/", O_PATH | O_DIRECTORY, 0));
  error = top.ok() ? set_attributes(top.get(), recursive, 0, 0, flags) : top.error();
  if (error == 0) error = sys(__NR_fchdir, root.get());
  if (error == 0) error = sys(__NR_chroot, ".");
  if (error == 0) error = sys(__NR_fchdir, directory.get());
  return error < 0 ? fail(error, "/") : 0;
}

int run(const SetPropagationOp& op) { return set_propagation(op.recursive, op.flags); }

static int bind_rootfs(const BindRootfsOp& op, bool is_mapped) {
  const char* path = text(op.path);
  Fd target, tree;
  int error = open_rootfs(op, is_mapped, target, tree);
  if (error == 0 && op.propagation != 0) error = set_attributes(tree.get(), false, 0, 0, op.propagation);
  if (error == 0 && op.detach_parent) error = make_private_below(target.get());
  if (error == 0) error = attach(tree.get(), target.get());
  if (error < 0) return fail(error, path);
  ctx.root_fd = tree.release();
  return 0;
}

int run(const BindRootfsOp& op) { return bind_rootfs(op, false); }

int run(const BindMappedRootfsOp& op) {
  BindRootfsOp bind = {};
  bind.path = op.path;
  bind.propagation = op.propagation;
  bind.detach_parent = op.detach_parent;
  bind.tree = op.tree;
  return bind_rootfs(bind, true);
}

int run(const OpenRootOp& op) {
  Fd root(open_at(AT_FDCWD, text(op.path), O_PATH | O_DIRECTORY, 0));
  if (!root.ok()) return fail(root.error(), text(op.path));
  ctx.root_fd = root.release();
  return 0;
}

int run(const ChrootRootOp&) {
  long error = sys(__NR_fchdir, ctx.root_fd);
  if (error == 0) error = sys(__NR_chroot, ".");
  // A path is safe here: "/" is the container's root by now.
  if (error == 0) error = sys(__NR_chdir, "/");
  return error < 0 ? fail(error, "rootfs") : 0;
}

int run(const PivotRootOp&) {
  bool is_small = ctx.old_root_fd >= 0;
  Fd old_root(ctx.old_root_fd);
  ctx.old_root_fd = -1;
  long error = is_small ? 0 : enter_old_root(old_root);
  if (error < 0) return fail(error, "/");
  error = sys(__NR_fchdir, ctx.root_fd);
  if (error < 0) return fail(error, "rootfs");
  error = sys(__NR_pivot_root, ".", ".");
  if (error < 0) return fail(error, "rootfs");
  // The old root lies on top of the new one now. Detaching it must not reach the host through shared mounts.
  sys(__NR_fchdir, old_root.get());
  if (!is_small) error = sys(__NR_mount, "", ".", "", kMsSlave | kMsRec, nullptr);
  if (error < 0) return fail(error, "old root");
  error = sys(__NR_umount2, ".", kMntDetach);
  if (error < 0) return fail(error, "old root");
  return static_cast<int>(sys(__NR_chdir, "/"));
}

int run(const MoveRootOp&) {
  Fd old_root;
  long error = enter_old_root(old_root);
  if (error < 0) return fail(error, "/");
  // Otherwise the rootfs would be mounted on the host's "/" as well.
  error = make_private_below(old_root.get());
  if (error == 0) error = sys(__NR_fchdir, ctx.root_fd);
  if (error == 0) error = sys(__NR_mount, ".", "/", "", kMsMove, nullptr);
  if (error < 0) return fail(error, "rootfs");
  error = drop_host_mounts(old_root.get());
  if (error < 0) return static_cast<int>(error);
  error = sys(__NR_chroot, ".");
  return error < 0 ? static_cast<int>(error) : static_cast<int>(sys(__NR_chdir, "/"));
}

int run(const SetRootPropagationOp& op) { return set_attributes(ctx.root_fd, op.recursive, 0, 0, op.flags); }

int run(const NodevRootOp&) { return set_attributes(ctx.root_fd, true, MOUNT_ATTR_NODEV, 0); }

int run(const ReadonlyRootOp&) { return set_attributes(ctx.root_fd, false, MOUNT_ATTR_RDONLY, 0); }

}  // namespace tsrun
