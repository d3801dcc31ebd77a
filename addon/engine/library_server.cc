// tsrun-libraries-server: the functions of addon/libraries as a program, because the static executable cannot load
// shared libraries. It answers one request (library_calls.h) and ends.
#include <napi.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <csignal>

#include "../generated/functions.h"
#include "arena.h"
#include "library_calls.h"

namespace {

// Only a defect of this executable leads here.
[[noreturn]] void give_up() { _exit(1); }

JSContext* make_context() {
  // No snapshot is made here, so memory may come from malloc once the arena is full.
  engine().complete = true;
  JSRuntime* runtime = JS_NewRuntime2(&kAllocator, nullptr);
  JSContext* context = JS_NewContextRaw(runtime);
  JS_AddIntrinsicBaseObjects(context);
  JS_AddIntrinsicTypedArrays(context);
  auto* env = new (&engine().env) napi_env__;
  env->context = context;
  JSValue global = JS_GetGlobalObject(context);
  env->byte_array = JS_GetPropertyStr(context, global, "Uint8Array");
  env->buffer = JS_DupValue(context, env->byte_array);
  JS_FreeValue(context, global);
  return context;
}

JSValue functions_of(napi_env env) {
  Napi::Object functions = Napi::Object::New(env);
#define TSRUN_EXPORT(name, function) functions.Set(#name, Napi::Function::New<tsrun::function>(env, #name));
  TSRUN_LIBRARY_FUNCTIONS(TSRUN_EXPORT)
#undef TSRUN_EXPORT
  return value_of(functions);
}

// Copied by name: properties that the engine gave an Error are not enumerable.
JSValue properties_of(JSContext* context, JSValueConst error) {
  JSValue properties = JS_NewObject(context);
  for (const char* name : kErrorProperties) {
    JSValue value = JS_GetPropertyStr(context, error, name);
    if (!JS_IsUndefined(value)) JS_SetPropertyStr(context, properties, name, value);
  }
  return properties;
}

JSValue answer(JSContext* context, JSValueConst request) {
  JSValue name = JS_GetPropertyUint32(context, request, 0);
  JSValue list = JS_GetPropertyUint32(context, request, 1);
  JSAtom atom = JS_ValueToAtom(context, name);
  JSValue function = JS_GetProperty(context, functions_of(&engine().env), atom);
  JSValue arguments[2] = {JS_GetPropertyUint32(context, list, 0), JS_GetPropertyUint32(context, list, 1)};
  JSValue result = JS_Call(context, function, JS_UNDEFINED, 2, arguments);
  bool done = !JS_IsException(result);
  JSValue pair = JS_NewArray(context);
  JS_SetPropertyUint32(context, pair, 0, JS_NewBool(context, done));
  JS_SetPropertyUint32(context, pair, 1, done ? result : properties_of(context, JS_GetException(context)));
  return pair;
}

}  // namespace

int main() {
  // If the command that asked is gone, no request comes, or the answer has no reader.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  std::string bytes;
  if (!read_to_end(STDIN_FILENO, &bytes)) give_up();
  JSContext* context = make_context();
  JSValue request = JS_ReadObject(context, reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size(), 0);
  if (JS_IsException(request)) give_up();
  size_t size = 0;
  uint8_t* written = JS_WriteObject(context, &size, answer(context, request), 0);
  if (written == nullptr || !write_whole(STDOUT_FILENO, written, size)) give_up();
  _exit(0);
}
