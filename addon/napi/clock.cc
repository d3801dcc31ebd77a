#include <ctime>

#include "../generated/functions.h"

namespace tsrun {

namespace {

int64_t now() {
  struct timespec time = {};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<int64_t>(time.tv_sec) * 1000000000 + time.tv_nsec;
}

// In the standalone executable this is the start of the process, right after execve(2).
const int64_t loaded = now();

}  // namespace

Napi::Value js_monotonic_time(const Napi::CallbackInfo& info) { return Napi::BigInt::New(info.Env(), now()); }

Napi::Value js_load_time(const Napi::CallbackInfo& info) { return Napi::BigInt::New(info.Env(), loaded); }

}  // namespace tsrun
