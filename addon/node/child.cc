// The end of a child, looked at before it is reaped.
#include <sys/wait.h>

#include "../common/syscall.h"
#include "../generated/functions.h"

namespace tsrun {

Napi::Value js_peek_exit(const Napi::CallbackInfo& info) {
  PeekExitArguments arguments(info);
  int flags = WEXITED | WNOWAIT | (arguments.wait ? 0 : WNOHANG);
  siginfo_t end = {};
  int result;
  do {
    result = waitid(P_PIDFD, static_cast<id_t>(arguments.pidfd), &end, flags);
  } while (result != 0 && errno == EINTR);
  if (result != 0) return throw_errno(info.Env(), errno, "waitid");
  if (end.si_pid == 0) return info.Env().Null();
  // As wait(2) has it.
  int status = end.si_code == CLD_EXITED ? end.si_status << 8 : end.si_status;
  return Napi::Number::New(info.Env(), end.si_code == CLD_DUMPED ? status | 0x80 : status);
}

}  // namespace tsrun
