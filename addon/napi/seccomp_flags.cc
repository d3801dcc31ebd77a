#include "../common/syscall.h"
#include "functions.h"

namespace tsrun {

// seccompFlags(flags[]) -> those that this kernel takes: asked with a null program, which is EFAULT when it does.
Napi::Value seccomp_flags(const Napi::CallbackInfo& info) {
  constexpr int kSetModeFilter = 1;
  constexpr long kNewListener = 1 << 3, kNeedsListener = 1 << 5;  // WAIT_KILLABLE_RECV
  Napi::Array flags = info[0].As<Napi::Array>();
  Napi::Array known = Napi::Array::New(info.Env());
  for (uint32_t i = 0; i < flags.Length(); i++) {
    long flag = flags.Get(i).As<Napi::Number>().Int64Value();
    long asked = flag == kNeedsListener ? flag | kNewListener : flag;
    if (sys(__NR_seccomp, kSetModeFilter, asked, nullptr) == -EFAULT) known.Set(known.Length(), flags.Get(i));
  }
  return known;
}

}  // namespace tsrun
