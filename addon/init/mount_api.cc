#include "mount_api.h"

namespace tsrun {

int attach(int mount_fd, int target_fd) {
  return static_cast<int>(
      sys(__NR_move_mount, mount_fd, "", target_fd, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH));
}

long clone_tree(int fd, bool recursive) {
  return sys(__NR_open_tree, fd, "",
             OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0));
}

long clone_path(const char* path, bool recursive, bool no_follow) {
  unsigned flags = (recursive ? AT_RECURSIVE : 0) | (no_follow ? AT_SYMLINK_NOFOLLOW : 0);
  return sys(__NR_open_tree, AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | flags);
}

namespace {

int mount_setattr(int mount_fd, bool recursive, const struct mount_attr& attributes) {
  return static_cast<int>(sys(__NR_mount_setattr, mount_fd, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0),
                              &attributes, sizeof(attributes)));
}

}  // namespace

int set_attributes(int mount_fd, bool recursive, uint64_t set, uint64_t clear, uint64_t propagation) {
  struct mount_attr attributes = {};
  attributes.attr_set = set;
  attributes.attr_clr = clear;
  attributes.propagation = propagation;
  return mount_setattr(mount_fd, recursive, attributes);
}

int map_ids(int mount_fd, bool recursive, int namespace_fd) {
  struct mount_attr attributes = {};
  attributes.attr_set = MOUNT_ATTR_IDMAP;
  attributes.userns_fd = static_cast<uint64_t>(namespace_fd);
  return mount_setattr(mount_fd, recursive, attributes);
}

namespace {

// The filesystem context explains its refusals in a log: "e tmpfs: Unknown parameter 'x'".
int refused(int fs_fd, long error, const char* fallback) {
  char line[sizeof(ctx.detail)];
  long got = sys(__NR_read, fs_fd, line, sizeof(line) - 1);
  if (got <= 2) return fail(error, fallback);
  line[got] = 0;
  for (long i = 0; i < got; i++) {
    if (line[i] == '\n') line[i] = 0;
  }
  return fail(error, line + 2);
}

int configure(int fs_fd, const char* parameter) {
  char key[256];
  size_t size = 0;
  while (parameter[size] != 0 && parameter[size] != '=') size++;
  if (size >= sizeof(key)) return fail(-ENAMETOOLONG, parameter);
  memcpy(key, parameter, size);
  key[size] = 0;
  bool flag = parameter[size] == 0;
  const char* value = parameter + size + 1;
  long error =
      sys(__NR_fsconfig, fs_fd, flag ? FSCONFIG_SET_FLAG : FSCONFIG_SET_STRING, key, flag ? nullptr : value, 0);
  return error < 0 ? refused(fs_fd, error, parameter) : 0;
}

int configure_all(int fs_fd, const List* parameters) {
  for (uint32_t i = 0; parameters != nullptr && i < parameters->count; i++) {
    int error = configure(fs_fd, text(strings(*parameters)[i]));
    if (error < 0) return error;
  }
  return 0;
}

int configure_source(int fs_fd, const char* source) {
  if (source == nullptr || source[0] == 0) return 0;
  long error = sys(__NR_fsconfig, fs_fd, FSCONFIG_SET_STRING, "source", source, 0);
  return error < 0 ? refused(fs_fd, error, source) : 0;
}

}  // namespace

long new_filesystem(const Filesystem& wanted) {
  Fd fs(sys(__NR_fsopen, wanted.type, FSOPEN_CLOEXEC));
  if (!fs.ok()) return fail(fs.error(), wanted.type);
  int error = configure_source(fs.get(), wanted.source);
  if (error == 0 && wanted.mode != nullptr) error = configure(fs.get(), wanted.mode);
  if (error == 0) error = configure_all(fs.get(), wanted.parameters);
  if (error == 0) error = configure_all(fs.get(), wanted.more);
  if (error < 0) return error;
  long created = sys(__NR_fsconfig, fs.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0);
  if (created < 0) return refused(fs.get(), created, wanted.type);
  long mount = sys(__NR_fsmount, fs.get(), FSMOUNT_CLOEXEC, wanted.attributes);
  return mount < 0 ? refused(fs.get(), mount, wanted.type) : mount;
}

int reconfigure(int mount_fd, const List& parameters) {
  Fd fs(sys(__NR_fspick, mount_fd, "", FSPICK_CLOEXEC | FSPICK_EMPTY_PATH));
  if (!fs.ok()) return fs.error();
  int error = configure_all(fs.get(), &parameters);
  if (error < 0) return error;
  long changed = sys(__NR_fsconfig, fs.get(), FSCONFIG_CMD_RECONFIGURE, nullptr, nullptr, 0);
  return changed < 0 ? refused(fs.get(), changed, "") : 0;
}

int keep(uint64_t number, int mount_fd) {
  Fd mount(mount_fd);
  if (ctx.kept_mounts == nullptr) {
    // Room for all entries of `mounts` and `devices`: each has at least one op.
    ctx.kept_count = reinterpret_cast<const PlanHeader*>(ctx.plan)->plan_length;
    ctx.kept_mounts = static_cast<int*>(map_pages(ctx.kept_count * sizeof(int)));
    if (ctx.kept_mounts == nullptr) return -ENOMEM;
  }
  if (number >= ctx.kept_count) return -EINVAL;
  ctx.kept_mounts[number] = mount.release();
  return 0;
}

void hold(long mount_fd) {
  if (ctx.mount_fd >= 0) close_fd(ctx.mount_fd);
  ctx.mount_fd = static_cast<int>(mount_fd);
}

}  // namespace tsrun
