// Namespaces by descriptor.
#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <sys/ioctl.h>
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

}  // namespace

Napi::Value js_write_sysctl(const Napi::CallbackInfo& info) {
  WriteSysctlArguments arguments(info);
  Napi::Env env = info.Env();
  const std::string path = "/proc/sys/" + arguments.path;
  OwnNamespaces own;
  if (!own.known()) return throw_errno(env, errno, "open", "/proc/thread-self/ns");
  if (setns(arguments.pidfd, kParameterNamespaces) != 0) return throw_errno(env, errno, "setns");
  int error = write_parameter(path, arguments.value);
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
