// Memory of a process that stays for long.
#include "../generated/functions.h"

// Absent in other C libraries than glibc, which give memory back on their own.
extern "C" int malloc_trim(size_t) __attribute__((weak));

namespace tsrun {

Napi::Value js_trim_memory(const Napi::CallbackInfo& info) {
  if (malloc_trim != nullptr) malloc_trim(0);
  return info.Env().Undefined();
}

}  // namespace tsrun
