#include "snapshot.h"

#include <cstdio>
#include <fstream>
#include <new>

#include "arena.h"
#include "host.h"
#include "modules.h"

// A function that scripts/lib/quickjs-immortal.mjs adds to the engine.
extern "C" void JS_MakeRoom(JSRuntime*);

namespace {

int fail(JSContext* context, const std::string& name) {
  JSValue error = JS_GetException(context);
  const char* text = JS_ToCString(context, error);
  const char* stack = JS_ToCString(context, JS_GetPropertyStr(context, error, "stack"));
  fprintf(stderr, "tsrun-engine: %s: %s\n%s", name.c_str(), text, stack);
  return 1;
}

bool write_arena(const char* path) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out.write(arena_bytes(), static_cast<std::streamsize>(arena_size()));
  out.close();
  return static_cast<bool>(out);
}

// All modules there are have been loaded, so none may be looked for any more.
JSModuleDef* refuse(JSContext* context, const char* name, void*) {
  JS_ThrowReferenceError(context, "no module %s", name);
  return nullptr;
}

}  // namespace

int make_snapshot(int count, char** values) {
  if (count != 3) {
    fputs("usage: tsrun-engine IMAGE OUT\n", stderr);
    return 2;
  }
  std::vector<Module> modules = read_image(values[1]);
  JSRuntime* runtime = JS_NewRuntime2(&kAllocator, nullptr);
  auto* env = new (&engine().env) napi_env__;
  env->context = JS_NewContext(runtime);
  define_host(env);
  // The other modules use these globals when they are evaluated.
  if (!run_module(env->context, modules, "globals.js")) return fail(env->context, "globals.js");
  for (const auto& [name, code] : modules) {
    if (!run_module(env->context, modules, name)) return fail(env->context, name);
  }
  JS_SetModuleLoaderFunc(runtime, nullptr, refuse, nullptr);
  JS_RunGC(runtime);
  // While memory still comes from the arena.
  JS_MakeRoom(runtime);
  // A command ends before a collection could pay off. Builds with sanitizers collect all the time.
  JS_SetGCThreshold(runtime, TSRUN_GC_THRESHOLD);
  engine().runtime = runtime;
  engine().complete = true;
  arena_seal();
  return write_arena(values[2]) ? 0 : 1;
}
