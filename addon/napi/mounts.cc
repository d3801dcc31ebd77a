// Mounts that the runtime opens before init enters a user namespace.
#include <fcntl.h>
#include <linux/mount.h>
#include <linux/sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <utility>

#include "../common/syscall.h"
#include "../generated/functions.h"
#include "clone_child.h"

namespace tsrun {

namespace {

long set_tree(int tree, bool recursive, struct mount_attr attributes) {
  return sys(__NR_mount_setattr, tree, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), &attributes,
             sizeof(attributes));
}

// The child only holds a new user namespace, until the parent closes its end of the pipe or is gone. It closes the
// descriptors of the parent's other threads: among them may be ends of other holders' pipes, and two holders would wait
// for each other.
void hold(void* data) {
  int read_end = *static_cast<int*>(data);
  if (read_end == 0 || sys(__NR_dup3, read_end, 0, 0) >= 0) {
    sys(__NR_close_range, 1, ~0u, 0);
    char end;
    sys(__NR_read, 0, &end, 1);
  }
}

long clone_holder(const ChildStack& stack, int* read_end) {
  struct clone_args how = {};
  how.flags = CLONE_NEWUSER | CLONE_VM;
  how.exit_signal = SIGCHLD;
  how.stack = stack.base();
  how.stack_size = ChildStack::kSize;
  BlockSignals blocked;
  return clone_child(&how, hold, read_end);
}

int write_map(const std::string& path, const std::string& map) {
  UniqueFd file(open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (file.get() < 0) return errno;
  // The kernel takes a map only in one write, and only once.
  ssize_t put = write(file.get(), map.data(), map.size());
  if (put < 0) return errno;
  return static_cast<size_t>(put) == map.size() ? 0 : EIO;
}

}  // namespace

Napi::Value js_open_tree(const Napi::CallbackInfo& info) {
  OpenTreeArguments arguments(info);
  Napi::Env env = info.Env();
  const std::string& path = arguments.path;
  unsigned flags = (arguments.recursive ? AT_RECURSIVE : 0) | (arguments.no_follow ? AT_SYMLINK_NOFOLLOW : 0);
  long tree = sys(__NR_open_tree, AT_FDCWD, path.c_str(), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | flags);
  if (tree < 0) return throw_errno(env, static_cast<int>(-tree), "open_tree", path);
  UniqueFd owner(static_cast<int>(tree));
  // As for mounts that the kernel copies into another user namespace: what is mounted in this tree must not appear on
  // the host.
  struct mount_attr slave = {};
  slave.propagation = 1 << 19;  // MS_SLAVE
  long error = set_tree(owner.get(), true, slave);
  if (error < 0) return throw_errno(env, static_cast<int>(-error), "mount_setattr", path);
  return Napi::Number::New(env, owner.release());
}

Napi::Value js_map_tree(const Napi::CallbackInfo& info) {
  MapTreeArguments arguments(info);
  struct mount_attr map = {};
  map.attr_set = MOUNT_ATTR_IDMAP;
  map.userns_fd = static_cast<uint64_t>(arguments.user_namespace);
  long error = set_tree(arguments.tree, arguments.recursive, map);
  if (error < 0) return throw_errno(info.Env(), static_cast<int>(-error), "mount_setattr");
  return info.Env().Undefined();
}

Napi::Value js_make_user_namespace(const Napi::CallbackInfo& info) {
  MakeUserNamespaceArguments arguments(info);
  Napi::Env env = info.Env();
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return throw_errno(env, errno, "pipe2");
  UniqueFd read_end(ends[0]), write_end(ends[1]);
  ChildStack stack;
  if (!stack.ok()) return throw_errno(env, errno, "mmap");
  long pid = clone_holder(stack, &ends[0]);
  if (pid < 0) return throw_errno(env, static_cast<int>(-pid), "clone");
  std::string directory = "/proc/" + std::to_string(pid);
  const std::pair<const char*, const std::string&> maps[] = {{"uid_map", arguments.uid_map},
                                                             {"gid_map", arguments.gid_map}};
  int error = 0;
  std::string failed;
  for (const auto& [name, map] : maps) {
    error = write_map(directory + "/" + name, map);
    if (error == 0) continue;
    failed = name;
    break;
  }
  UniqueFd space(error == 0 ? open((directory + "/ns/user").c_str(), O_RDONLY | O_CLOEXEC) : -1);
  if (error == 0 && space.get() < 0) error = errno;
  write_end.reset(-1);
  // The stack must outlive it.
  while (waitpid(static_cast<pid_t>(pid), nullptr, 0) < 0 && errno == EINTR) continue;
  if (error != 0) return throw_errno(env, error, "write", failed);
  return Napi::Number::New(env, space.release());
}

}  // namespace tsrun
