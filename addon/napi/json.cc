#include "../common/key_scan.h"
#include "functions.h"

namespace tsrun {

// hasPlainKeys(text, maxDepth) -> false for a name given twice, one with an escape, and for what nests deeper
Napi::Value has_plain_keys(const Napi::CallbackInfo& info) {
  std::string text = string_at(info, 0);
  return Napi::Boolean::New(info.Env(), KeyScan(text, static_cast<size_t>(int_at(info, 1))).run());
}

}  // namespace tsrun
