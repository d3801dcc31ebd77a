// Terminals whose master the library or the shim holds.
#include <fcntl.h>
#include <sys/ioctl.h>

#include "../common/syscall.h"
#include "../generated/functions.h"

namespace tsrun {

Napi::Value js_resize_terminal(const Napi::CallbackInfo& info) {
  ResizeTerminalArguments arguments(info);
  winsize size = {};
  size.ws_col = static_cast<unsigned short>(arguments.columns);
  size.ws_row = static_cast<unsigned short>(arguments.rows);
  if (ioctl(arguments.master, TIOCSWINSZ, &size) == 0) return info.Env().Undefined();
  return throw_errno(info.Env(), errno, "ioctl");
}

Napi::Value js_open_peer(const Napi::CallbackInfo& info) {
  OpenPeerArguments arguments(info);
  int slave = ioctl(arguments.master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (slave < 0) return throw_errno(info.Env(), errno, "ioctl");
  return Napi::Number::New(info.Env(), slave);
}

}  // namespace tsrun
