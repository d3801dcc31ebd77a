#include "../common/key_scan.h"
#include "../generated/functions.h"

namespace tsrun {

Napi::Value js_has_plain_keys(const Napi::CallbackInfo& info) {
  HasPlainKeysArguments arguments(info);
  return Napi::Boolean::New(info.Env(), KeyScan(arguments.text, static_cast<size_t>(arguments.max_depth)).run());
}

}  // namespace tsrun
