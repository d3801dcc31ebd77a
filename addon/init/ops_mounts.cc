// Mounts of the config. One op makes or copies a mount, the next ones change it, and attach-mount puts it in its place.
// Until then it is the mount in hand (ctx.mount_fd), which nobody else can see.
#include <linux/openat2.h>

#include "held_mounts.h"
#include "mount_api.h"
#include "ops.h"
#include "path.h"
#include "small_mounts.h"

namespace tsrun {

namespace {

constexpr int kMntDetach = 2;

// Opens the destination of a mount, which is made if it is missing.
long open_target(const char* path, bool directory, bool real, bool on_proc) {
  Fd target(real ? real_directory(path) : directory ? make_directories(path) : make_file(path));
  if (!target.ok()) return target.error();
  // However the path is written: a mount over a file of procfs could make writes to it land elsewhere (CVE-2019-16884).
  // The allow-list is in src/lower/mounts/mount-destination.ts.
  if (!on_proc && on_container_proc(target.get())) return fail(-EPERM, "the destination is on the container's /proc");
  return target.release();
}

// Writes "mode=0755", with the mode of the directory that the mount will hide; false if there is none.
bool existing_mode(const char* path, char* parameter, size_t size) {
  char before[sizeof(ctx.detail)];
  copy(before, sizeof(before), ctx.detail);
  Fd directory(open_in_root(path, O_PATH | O_DIRECTORY));
  copy(ctx.detail, sizeof(ctx.detail), before);
  struct statx status = {};
  if (!directory.ok() || status_of(directory.get(), &status) < 0) return false;
  char octal[] = {
      static_cast<char>('0' + (status.stx_mode >> 9 & 7)), static_cast<char>('0' + (status.stx_mode >> 6 & 7)),
      static_cast<char>('0' + (status.stx_mode >> 3 & 7)), static_cast<char>('0' + (status.stx_mode & 7)), 0};
  return copy(parameter, size, "mode=") && append(parameter, size, octal);
}

// Writes the options as mount(2) takes them, in one page; false if they do not fit.
bool data_of(const MountByFlagsOp& op, char* data, size_t size) {
  char mode[16];
  if (!copy(data, size, text(op.data))) return false;
  if (!op.mode_from_destination || !existing_mode(text(op.destination), mode, sizeof(mode))) return true;
  bool separate = data[0] == 0 || append(data, size, ",");
  return separate && append(data, size, mode);
}

// Shown in place of a cgroup that does not exist: what the host has there must stay hidden.
long empty_directory() {
  Filesystem empty = {};
  empty.type = "tmpfs";
  empty.mode = "mode=0555";
  empty.attributes = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
  return new_filesystem(empty);
}

// A copy of the host's tree in place of a new filesystem.
long fallback_tree(const char* path, uint64_t attributes) {
  Fd tree(clone_path(path, true));
  if (tree.error() == -ENOENT) return empty_directory();
  if (!tree.ok()) return tree.error();
  int error = set_attributes(tree.get(), true, attributes, 0);
  return error < 0 ? error : tree.release();
}

// Tries the op's fallbacks after the kernel has refused the mount with `error`. If none works, fails with that error
// and its words.
long fall_back(const NewFilesystemOp& op, Filesystem wanted, int error) {
  char why[sizeof(ctx.detail)];
  copy(why, sizeof(why), ctx.detail);
  long mount = error;
  const char* what = "mounted it with fewer files (fallbackParameters of the plan)";
  if (op.fallback_parameters.count > 0) {
    wanted.more = &op.fallback_parameters;
    mount = new_filesystem(wanted);
  }
  if (mount < 0 && text(op.fallback_tree) != nullptr) {
    mount = fallback_tree(text(op.fallback_tree), op.fallback_attributes);
    what = "bound the host's in place of a new one (fallbackTree of the plan)";
  }
  if (mount < 0) return fail(error, why);
  notice(error, what);
  return mount;
}

// Makes a symlink like the one in hand; an existing one must have the same target.
int copy_link(const char* destination) {
  char wanted[kPathMax], there[kPathMax];
  long size = sys(__NR_readlinkat, ctx.mount_fd, "", wanted, sizeof(wanted) - 1);
  if (size < 0) return fail(size, destination);
  wanted[size] = 0;
  const char* name;
  Fd parent(open_parent(destination, &name));
  if (!parent.ok()) return parent.error();
  long error = sys(__NR_symlinkat, wanted, parent.get(), name);
  if (error != -EEXIST) return error < 0 ? fail(error, destination) : 0;
  size = sys(__NR_readlinkat, parent.get(), name, there, sizeof(there) - 1);
  if (size >= 0) there[size] = 0;
  return size >= 0 && equal(wanted, there) ? 0 : fail(-EEXIST, destination);
}

}  // namespace

int run(const NewFilesystemOp& op) {
  char mode[16];
  Filesystem wanted = {};
  wanted.type = text(op.type);
  wanted.source = text(op.source);
  wanted.parameters = &op.parameters;
  wanted.attributes = op.attributes;
  if (op.mode_from_destination && existing_mode(text(op.destination), mode, sizeof(mode))) wanted.mode = mode;
  long mount = new_filesystem(wanted);
  if (mount == -EPERM || mount == -EBUSY) mount = fall_back(op, wanted, static_cast<int>(mount));
  if (mount < 0) return static_cast<int>(mount);
  hold(mount);
  return 0;
}

// mount(2) takes no descriptor, and a path may lead elsewhere when it is looked up again. But it takes the working
// directory: a directory that only init can reach, in a filesystem of init's own on top of the rootfs. A detached copy
// of that mount becomes the one in hand.
int run(const MountByFlagsOp& op) {
  constexpr const char* kName = "mount";
  Filesystem tmpfs = {};
  tmpfs.type = tmpfs.source = "tmpfs";
  Fd before(open_at(AT_FDCWD, ".", O_PATH | O_DIRECTORY, 0));
  Fd place(new_filesystem(tmpfs));
  if (!before.ok() || !place.ok()) return before.ok() ? place.error() : before.error();
  long error = attach(place.get(), ctx.root_fd);
  if (error == 0) error = sys(__NR_mkdirat, place.get(), kName, 0700);
  Fd directory(error < 0 ? error : open_at(place.get(), kName, O_PATH | O_DIRECTORY, 0));
  error = directory.ok() ? sys(__NR_fchdir, directory.get()) : directory.error();
  char data[kPathMax];
  if (error == 0 && !data_of(op, data, sizeof(data))) error = -E2BIG;
  if (error == 0) error = sys(__NR_mount, text(op.source), ".", text(op.type), op.flags, data);
  if (error < 0) return fail(error, text(op.type));
  Fd mount(open_at(place.get(), kName, O_PATH | O_DIRECTORY, 0));
  Fd tree(mount.ok() ? clone_tree(mount.get(), false) : mount.error());
  if (tree.ok()) error = sys(__NR_fchdir, place.get());
  if (tree.ok() && error == 0) error = sys(__NR_umount2, ".", kMntDetach);
  if (tree.ok() && error == 0) error = sys(__NR_fchdir, before.get());
  if (!tree.ok() || error < 0) return fail(tree.ok() ? error : tree.error(), text(op.type));
  hold(tree.release());
  return 0;
}

int run(const CloneTreeOp& op) {
  const char* source = text(op.source);
  long opened = op.tree >= 0 ? op.tree : opened_tree();
  Fd tree(opened != kNotOpened ? opened : clone_path(source, op.recursive, op.no_follow));
  if (op.empty_if_missing && tree.error() == -ENOENT) tree.reset(empty_directory());
  if (!tree.ok()) return fail(tree.error(), source);
  if (op.proc_only && !is_procfs(tree.get())) return fail(-EPERM, "only a procfs may be at /proc");
  hold(tree.release());
  return 0;
}

int run(const OwnTreeOp& op) {
  Fd tree(clone_path(text(op.source), op.recursive, op.no_follow));
  if (!tree.ok()) return 0;
  long error = sys(__NR_dup3, tree.get(), op.tree, O_CLOEXEC);
  return error < 0 ? fail(error, text(op.source)) : 0;
}

int run(const KeepMountOp& op) {
  long copy = sys(__NR_fcntl, ctx.mount_fd, F_DUPFD_CLOEXEC, 3);
  return copy < 0 ? fail(copy, text(op.destination)) : keep(op.number, static_cast<int>(copy));
}

int run(const TakeMountOp& op) {
  if (op.number >= ctx.kept_count || ctx.kept_mounts[op.number] == 0) return fail(-EINVAL, text(op.destination));
  long copy = sys(__NR_fcntl, ctx.kept_mounts[op.number], F_DUPFD_CLOEXEC, 3);
  if (copy < 0) return fail(copy, text(op.destination));
  hold(copy);
  return 0;
}

int run(const FindMountOp& op) {
  const char* destination = text(op.destination);
  Fd mount(open_in_root(destination, O_PATH, RESOLVE_NO_SYMLINKS));
  if (!mount.ok()) return mount.error();
  struct statx status = {};
  int error = status_of(mount.get(), &status);
  if (error < 0) return fail(error, destination);
  if ((status.stx_attributes & STATX_ATTR_MOUNT_ROOT) == 0) return fail(-EINVAL, "nothing is mounted there");
  hold(mount.release());
  return 0;
}

int run(const ReconfigureFilesystemOp& op) { return reconfigure(ctx.mount_fd, op.parameters); }

int run(const MapMountIdsOp& op) { return map_ids(ctx.mount_fd, op.recursive, static_cast<int>(op.namespace_fd)); }

int run(const SetMountAttributesOp& op) {
  return set_attributes(ctx.mount_fd, op.recursive, op.set, op.clear, op.propagation);
}

int run(const AttachMountOp& op) {
  const char* destination = text(op.destination);
  struct statx held = {};
  int error = status_of(ctx.mount_fd, &held);
  if (error < 0) return fail(error, destination);
  // Only a tree that was opened with noFollow can be a symlink.
  if ((held.stx_mode & S_IFMT) == S_IFLNK) {
    bool fixed = op.real_directory || equal(destination, "/dev");
    return fixed ? fail(-ELOOP, destination) : copy_link(destination);
  }
  bool directory = (held.stx_mode & S_IFMT) == S_IFDIR;
  Fd target(open_target(destination, directory, op.real_directory, op.on_proc));
  if (!target.ok()) return target.error();
  struct statx status = {};
  error = status_of(target.get(), &status);
  // The kernel would only say EINVAL.
  if (error == 0 && directory != ((status.stx_mode & S_IFMT) == S_IFDIR)) error = -ENOTDIR;
  if (error == 0) error = attach(ctx.mount_fd, target.get());
  if (error == 0) error = note_attached(ctx.mount_fd, status);
  if (error == 0 && directory && ctx.through_link) release_nested();
  if (error == 0 && op.held) error = hold_attached(destination);
  return error < 0 ? fail(error, destination) : 0;
}

}  // namespace tsrun
