#include <ctime>

#include "functions.h"

namespace tsrun {

// monotonicTime() -> nanoseconds of CLOCK_MONOTONIC, a bigint: the clock that init stamps its ops with.
Napi::Value monotonic_time(const Napi::CallbackInfo& info) {
  struct timespec time = {};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return Napi::BigInt::New(info.Env(), static_cast<int64_t>(time.tv_sec) * 1000000000 + time.tv_nsec);
}

}  // namespace tsrun
