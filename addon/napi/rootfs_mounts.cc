// Mounts on the host, for a bundle whose root filesystem is still to be mounted.
#include <fcntl.h>
#include <linux/mount.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "../common/syscall.h"
#include "../generated/functions.h"

namespace tsrun {

Napi::Value js_mount(const Napi::CallbackInfo& info) {
  MountArguments arguments(info);
  const std::string& data = arguments.data;
  long error = sys(__NR_mount, arguments.source.c_str(), arguments.target.c_str(), arguments.type.c_str(),
                   static_cast<long>(arguments.flags), data.empty() ? nullptr : data.c_str());
  if (error < 0) return throw_errno(info.Env(), static_cast<int>(-error), "mount", arguments.target);
  return info.Env().Undefined();
}

Napi::Value js_mount_by_parameters(const Napi::CallbackInfo& info) {
  MountByParametersArguments arguments(info);
  Napi::Env env = info.Env();
  long opened = sys(__NR_fsopen, arguments.type.c_str(), FSOPEN_CLOEXEC);
  if (opened < 0) return throw_errno(env, static_cast<int>(-opened), "fsopen", arguments.type);
  UniqueFd context(static_cast<int>(opened));
  for (const std::string& parameter : arguments.parameters) {
    size_t equals = parameter.find('=');
    std::string key = parameter.substr(0, equals);
    bool flag = equals == std::string::npos;
    const char* value = flag ? nullptr : parameter.c_str() + equals + 1;
    long error =
        sys(__NR_fsconfig, context.get(), flag ? FSCONFIG_SET_FLAG : FSCONFIG_SET_STRING, key.c_str(), value, 0);
    if (error < 0) return throw_errno(env, static_cast<int>(-error), "fsconfig", parameter);
  }
  long error = sys(__NR_fsconfig, context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0);
  if (error < 0) return throw_errno(env, static_cast<int>(-error), "fsconfig", arguments.target);
  long mounted = sys(__NR_fsmount, context.get(), FSMOUNT_CLOEXEC, static_cast<long>(arguments.attributes));
  if (mounted < 0) return throw_errno(env, static_cast<int>(-mounted), "fsmount", arguments.target);
  UniqueFd tree(static_cast<int>(mounted));
  error = sys(__NR_move_mount, tree.get(), "", AT_FDCWD, arguments.target.c_str(), MOVE_MOUNT_F_EMPTY_PATH);
  if (error < 0) return throw_errno(env, static_cast<int>(-error), "move_mount", arguments.target);
  return env.Undefined();
}

Napi::Value js_place_tree(const Napi::CallbackInfo& info) {
  PlaceTreeArguments arguments(info);
  long error = sys(__NR_move_mount, static_cast<long>(arguments.tree), "", AT_FDCWD, arguments.target.c_str(),
                   MOVE_MOUNT_F_EMPTY_PATH);
  if (error < 0) return throw_errno(info.Env(), static_cast<int>(-error), "move_mount", arguments.target);
  return info.Env().Undefined();
}

Napi::Value js_unmount(const Napi::CallbackInfo& info) {
  UnmountArguments arguments(info);
  if (umount2(arguments.path.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) == 0) return Napi::Boolean::New(info.Env(), true);
  if (errno == EINVAL || errno == ENOENT) return Napi::Boolean::New(info.Env(), false);
  return throw_errno(info.Env(), errno, "umount2", arguments.path);
}

}  // namespace tsrun
