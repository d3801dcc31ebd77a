// How a process that is not our child ended, if the kernel tells.
#include <linux/ioctl.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

#include "../generated/functions.h"

namespace tsrun {

namespace {

// struct pidfd_info of linux/pidfd.h as it was when exit_code came (Linux 6.15), which is newer than most headers.
struct PidfdInfo {
  uint64_t mask;
  uint64_t cgroup_id;
  uint32_t pid, tgid, ppid;
  uint32_t ruid, rgid, euid, egid, suid, sgid, fsuid, fsgid;
  int32_t exit_code;
};
static_assert(sizeof(PidfdInfo) == 64, "PIDFD_INFO_SIZE_VER0");

constexpr unsigned long kPidfdGetInfo = _IOWR(0xFF, 11, PidfdInfo);
constexpr uint64_t kInfoExit = 1 << 3;

}  // namespace

Napi::Value js_exit_info(const Napi::CallbackInfo& info) {
  ExitInfoArguments arguments(info);
  PidfdInfo answer = {};
  answer.mask = kInfoExit;
  bool told = ioctl(arguments.pidfd, kPidfdGetInfo, &answer) == 0 && (answer.mask & kInfoExit) != 0;
  if (!told) return info.Env().Null();
  return Napi::Number::New(info.Env(), answer.exit_code);
}

}  // namespace tsrun
