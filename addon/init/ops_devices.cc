// Device nodes and the links that programs expect in /dev.
#include <linux/openat2.h>
#include <linux/sched.h>
#include <sys/stat.h>

#include "host_mounts.h"
#include "mount_api.h"
#include "ops.h"
#include "path.h"

namespace tsrun {

namespace {

uint64_t device_number(uint64_t major, uint64_t minor) {
  return ((major & 0xfffff000u) << 32) | ((major & 0xfff) << 8) | ((minor & 0xffffff00u) << 12) | (minor & 0xff);
}

template <typename Op>
bool is_wanted(const struct statx& status, const Op& op) {
  if ((status.stx_mode & S_IFMT) != (op.mode & S_IFMT)) return false;
  bool fifo = (op.mode & S_IFMT) == S_IFIFO;
  return fifo || (status.stx_rdev_major == op.major && status.stx_rdev_minor == op.minor);
}

// An existing entry is right only if it is the same device (config-linux.md, Devices). A symlink is not.
template <typename Op>
int check_existing(int parent_fd, const char* name, const Op& op) {
  struct statx status = {};
  long error = sys(__NR_statx, parent_fd, name, AT_SYMLINK_NOFOLLOW, STATX_TYPE, &status);
  if (error < 0) return fail(error, text(op.path));
  return is_wanted(status, op) ? 0 : fail(-EEXIST, text(op.path));
}

// A detached mount of the host's device node, which must be the device that the config names.
long clone_device(const BindDeviceOp& op) {
  const char* source = text(op.source);
  Fd node(open_at(AT_FDCWD, source, O_PATH, 0));
  if (!node.ok()) return fail(node.error(), source);
  struct statx status = {};
  int error = status_of(node.get(), &status);
  if (error < 0) return fail(error, source);
  if (!is_wanted(status, op)) return fail(-ENXIO, source);
  Fd tree(clone_tree(node.get(), false));
  if (!tree.ok()) return fail(tree.error(), source);
  error = set_attributes(tree.get(), false, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, 0);
  return error < 0 ? fail(error, source) : tree.release();
}

// The mount that make-node has kept, or one of the host's node.
long tree_of(const BindDeviceOp& op) {
  uint64_t number = static_cast<uint64_t>(op.number);
  if (op.number < 0 || number >= ctx.kept_count || ctx.kept_mounts[number] == 0) return clone_device(op);
  int tree = ctx.kept_mounts[number];
  ctx.kept_mounts[number] = 0;
  return tree;
}

// A detached mount of a new node in a directory.
long new_node(const MakeNodeOp& op, int directory) {
  constexpr const char* kName = "node";
  long error = sys(__NR_mknodat, directory, kName, op.mode, device_number(op.major, op.minor));
  if (error == 0) error = sys(__NR_fchownat, directory, kName, op.uid, op.gid, AT_SYMLINK_NOFOLLOW);
  Fd node(error < 0 ? error : open_at(directory, kName, O_PATH | O_NOFOLLOW, 0));
  return node.ok() ? clone_tree(node.get(), false) : node.error();
}

// Unmounts by way of the working directory: umount2(2) takes no descriptor.
int detach(int mount_fd) {
  constexpr int kMntDetach = 2;
  Fd before(open_at(AT_FDCWD, ".", O_PATH | O_DIRECTORY, 0));
  long error = before.ok() ? sys(__NR_fchdir, mount_fd) : before.error();
  if (error == 0) error = sys(__NR_umount2, ".", kMntDetach);
  if (error == 0) error = sys(__NR_fchdir, before.get());
  return static_cast<int>(error);
}

// Moves init into a mount namespace of its own, before it gets the container's: the host never sees what is mounted in
// it, whatever ends init.
int leave_host_mounts() {
  static bool left;
  if (left) return 0;
  long error = sys(__NR_unshare, CLONE_NEWNS);
  if (error < 0) return static_cast<int>(error);
  constexpr uint64_t kSlave = 1 << 19;  // MS_SLAVE
  int slave = set_propagation(true, kSlave);
  left = slave == 0;
  return slave;
}

// 1 if it exists, 0 if not, or the error of a lookup that failed.
int exists_in_root(const char* path) {
  Fd entry(open_in_root(path, O_PATH | O_NOFOLLOW));
  if (entry.ok()) return 1;
  if (entry.error() != -ENOENT && entry.error() != -ENOTDIR) return entry.error();
  ctx.detail[0] = 0;
  return 0;
}

}  // namespace

int run(const MakeDeviceOp& op) {
  const char* name;
  Fd parent(open_parent(text(op.path), &name));
  if (!parent.ok()) return parent.error();
  long error = sys(__NR_mknodat, parent.get(), name, op.mode, device_number(op.major, op.minor));
  // An existing node stays as it is: in a bind-mounted directory it may be the host's own.
  if (error == -EEXIST) return check_existing(parent.get(), name, op);
  if (error < 0) return fail(error, text(op.path));
  // After our own mknodat, too: what is there now must be the device that was asked for (CVE-2026-41579).
  int mismatch = check_existing(parent.get(), name, op);
  if (mismatch < 0) return mismatch;
  error = sys(__NR_fchownat, parent.get(), name, op.uid, op.gid, AT_SYMLINK_NOFOLLOW);
  return error < 0 ? fail(error, text(op.path)) : 0;
}

// Before Linux 6.15 a tree can be copied only from a mount that is attached.
int run(const MakeNodeOp& op) {
  const char* path = text(op.path);
  Fd there(op.only_if_missing ? open_at(AT_FDCWD, path, O_PATH | O_NOFOLLOW, 0) : -ENOENT);
  if (there.error() != -ENOENT) return 0;
  int left = leave_host_mounts();
  if (left < 0) return fail(left, path);
  Filesystem tmpfs = {};
  tmpfs.type = tmpfs.source = "tmpfs";
  tmpfs.parameters = &op.parameters;
  tmpfs.attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC;
  Fd place(new_filesystem(tmpfs));
  if (!place.ok()) return place.error();
  Fd root(open_at(AT_FDCWD, "/", O_PATH | O_DIRECTORY, 0));
  int error = root.ok() ? attach(place.get(), root.get()) : root.error();
  if (error < 0) return fail(error, path);
  Fd tree(new_node(op, place.get()));
  error = detach(place.get());
  if (error < 0) return fail(error, path);
  if (tree.error() == -EPERM) notice(-EPERM, "bound the host's in place of a new one");
  if (tree.error() == -EPERM) return 0;
  return tree.ok() ? keep(op.number, tree.release()) : fail(tree.error(), path);
}

int run(const BindDeviceOp& op) {
  const char* path = text(op.path);
  const char* name;
  Fd parent(open_parent(path, &name));
  if (!parent.ok()) return parent.error();
  Fd made(open_at(parent.get(), name, O_CREAT | O_EXCL | O_NOFOLLOW | O_RDONLY, 0, 0644));
  if (made.error() == -EEXIST) return check_existing(parent.get(), name, op);
  if (!made.ok()) return fail(made.error(), path);
  Fd tree(tree_of(op));
  if (!tree.ok()) return tree.error();
  int error = attach(tree.get(), made.get());
  return error < 0 ? fail(error, path) : 0;
}

int run(const MakeSymlinkOp& op) {
  int exists = op.only_to_existing ? exists_in_root(text(op.target)) : 1;
  if (exists <= 0) return exists;
  const char* name;
  Fd parent(open_parent(text(op.path), &name));
  if (!parent.ok()) return parent.error();
  long error = sys(__NR_symlinkat, text(op.target), parent.get(), name);
  if (error == -EEXIST && op.replace) {
    error = sys(__NR_unlinkat, parent.get(), name, 0);
    if (error == 0) error = sys(__NR_symlinkat, text(op.target), parent.get(), name);
  }
  return error < 0 && error != -EEXIST ? fail(error, text(op.path)) : 0;
}

}  // namespace tsrun
