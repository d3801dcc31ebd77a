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

int set_attributes(int mount_fd, bool recursive, uint64_t set, uint64_t clear, uint64_t propagation) {
  struct mount_attr attributes = {};
  attributes.attr_set = set;
  attributes.attr_clr = clear;
  attributes.propagation = propagation;
  return static_cast<int>(sys(__NR_mount_setattr, mount_fd, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0),
                              &attributes, sizeof(attributes)));
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

}  // namespace

long new_filesystem(const char* type, const char* source, const List* parameters, uint64_t attributes) {
  Fd fs(sys(__NR_fsopen, type, FSOPEN_CLOEXEC));
  if (!fs.ok()) return fail(fs.error(), type);
  if (source != nullptr && source[0] != 0) {
    long error = sys(__NR_fsconfig, fs.get(), FSCONFIG_SET_STRING, "source", source, 0);
    if (error < 0) return refused(fs.get(), error, source);
  }
  for (uint32_t i = 0; parameters != nullptr && i < parameters->count; i++) {
    int error = configure(fs.get(), text(strings(*parameters)[i]));
    if (error < 0) return error;
  }
  long error = sys(__NR_fsconfig, fs.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0);
  if (error < 0) return refused(fs.get(), error, type);
  long mount = sys(__NR_fsmount, fs.get(), FSMOUNT_CLOEXEC, attributes);
  if (mount < 0) return refused(fs.get(), mount, type);
  return mount;
}

}  // namespace tsrun
