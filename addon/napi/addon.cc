#include "../generated/functions.h"

namespace tsrun {

// Functions that exist only in Node (addon/node); the standalone executable is linked without them.
__attribute__((weak)) void export_for_node(Napi::Env env, Napi::Object exports);

}  // namespace tsrun

namespace {

Napi::Object start(Napi::Env env, Napi::Object exports) {
#define TSRUN_EXPORT(name, function) exports.Set(#name, Napi::Function::New<tsrun::function>(env, #name));
  TSRUN_FUNCTIONS(TSRUN_EXPORT)
#undef TSRUN_EXPORT
  if (tsrun::export_for_node != nullptr) tsrun::export_for_node(env, exports);
  return exports;
}

}  // namespace

NODE_API_MODULE(tsrun, start)
