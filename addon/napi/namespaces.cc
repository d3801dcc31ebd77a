// Namespaces by descriptor.
#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>

#include "../generated/functions.h"

namespace tsrun {

namespace {

// Those that the kernel takes a parameter's value from: the namespaces of the thread that opens its file.
constexpr int kParameterNamespaces = CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS;

// This thread's own, to come back to.
struct OwnNamespaces {
  UniqueFd net{open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)};
  UniqueFd ipc{open("/proc/thread-self/ns/ipc", O_RDONLY | O_CLOEXEC)};
  UniqueFd uts{open("/proc/thread-self/ns/uts", O_RDONLY | O_CLOEXEC)};

  bool known() const { return net.get() >= 0 && ipc.get() >= 0 && uts.get() >= 0; }

  // Nothing would be worse than to go on in the container's.
  void enter() const {
    for (int fd : {net.get(), ipc.get(), uts.get()})
      if (setns(fd, 0) != 0) abort();
  }
};

// 0, or the errno.
int write_parameter(const std::string& path, const std::string& value) {
  UniqueFd file(open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (file.get() < 0) return errno;
  ssize_t written = write(file.get(), value.data(), value.size());
  return written == static_cast<ssize_t>(value.size()) ? 0 : written < 0 ? errno : EINVAL;
}

// Another effective user for this thread alone, and back. The kernel forgets two attributes with each change.
class EffectiveUser {
 public:
  explicit EffectiveUser(uid_t user) {
    prctl(PR_GET_PDEATHSIG, &parent_death_signal_);
    changed_ = become(user);
  }
  ~EffectiveUser() {
    if (!changed_) return;
    if (!become(own_)) abort();
    prctl(PR_SET_DUMPABLE, dumpable_);
    prctl(PR_SET_PDEATHSIG, parent_death_signal_);
  }
  EffectiveUser(const EffectiveUser&) = delete;
  EffectiveUser& operator=(const EffectiveUser&) = delete;

  bool changed() const { return changed_; }

 private:
  // libc's function would change all threads.
  static bool become(uid_t user) { return syscall(SYS_setresuid, -1, user, -1) == 0; }

  const uid_t own_ = geteuid();
  const int dumpable_ = prctl(PR_GET_DUMPABLE);
  int parent_death_signal_ = 0;
  bool changed_ = false;
};

// Those of an ipc namespace that belongs to a user namespace may be written by the root of that alone: the kernel
// compares the effective user, and no capability helps (ipc_permissions).
int write_as_owner(const std::string& path, const std::string& value) {
  struct stat status = {};
  if (stat(path.c_str(), &status) != 0) return errno;
  EffectiveUser owner(status.st_uid);
  return owner.changed() ? write_parameter(path, value) : EACCES;
}

}  // namespace

Napi::Value js_write_sysctl(const Napi::CallbackInfo& info) {
  WriteSysctlArguments arguments(info);
  Napi::Env env = info.Env();
  const std::string path = "/proc/sys/" + arguments.path;
  OwnNamespaces own;
  if (!own.known()) return throw_errno(env, errno, "open", "/proc/thread-self/ns");
  if (setns(arguments.pidfd, kParameterNamespaces) != 0) return throw_errno(env, errno, "setns");
  int error = write_parameter(path, arguments.value);
  if (error == EACCES) error = write_as_owner(path, arguments.value);
  own.enter();
  if (error != 0) return throw_errno(env, error, "write", path);
  return env.Undefined();
}

Napi::Value js_namespace_type(const Napi::CallbackInfo& info) {
  NamespaceTypeArguments arguments(info);
  int type = ioctl(arguments.fd, NS_GET_NSTYPE);
  if (type < 0) return throw_errno(info.Env(), errno, "ioctl NS_GET_NSTYPE");
  return Napi::Number::New(info.Env(), type);
}

}  // namespace tsrun
