#include "functions.h"

namespace {

Napi::Object start(Napi::Env env, Napi::Object exports) {
#define TSRUN_EXPORT(name, function) exports.Set(name, Napi::Function::New<tsrun::function>(env, name));
  TSRUN_FUNCTIONS(TSRUN_EXPORT)
#undef TSRUN_EXPORT
  return exports;
}

}  // namespace

NODE_API_MODULE(tsrun, start)
