#include "modules.h"

#include <cstring>

extern "C" const uint8_t tsrun_image[];

namespace {

const ImageEntry* find(const char* name) {
  const auto* header = reinterpret_cast<const ImageHeader*>(tsrun_image);
  const auto* entries = reinterpret_cast<const ImageEntry*>(header + 1);
  for (uint32_t i = 0; i < header->count; i++) {
    const ImageEntry& entry = entries[i];
    if (entry.name_size == strlen(name) && memcmp(tsrun_image + entry.name, name, entry.name_size) == 0) return &entry;
  }
  return nullptr;
}

// The modules are all in one place: a path before the name says nothing.
char* normalize(JSContext* context, const char*, const char* name, void*) {
  const char* slash = strrchr(name, '/');
  return js_strdup(context, slash == nullptr ? name : slash + 1);
}

JSValue read_module(JSContext* context, const char* name) {
  const ImageEntry* entry = find(name);
  if (entry == nullptr) return JS_ThrowReferenceError(context, "no module %s", name);
  return JS_ReadObject(context, tsrun_image + entry->code, entry->code_size,
                       JS_READ_OBJ_BYTECODE | JS_READ_OBJ_ROM_DATA);
}

JSModuleDef* load(JSContext* context, const char* name, void*) {
  JSValue module = read_module(context, name);
  if (JS_IsException(module)) return nullptr;
  auto* definition = static_cast<JSModuleDef*>(JS_VALUE_GET_PTR(module));
  // The context's list of modules keeps it.
  JS_FreeValue(context, module);
  return definition;
}

}  // namespace

void use_image(JSRuntime* runtime) { JS_SetModuleLoaderFunc(runtime, normalize, load, nullptr); }

JSValue run_module(JSContext* context, const char* name) {
  JSValue module = read_module(context, name);
  if (JS_IsException(module)) return module;
  if (JS_ResolveModule(context, module) < 0) {
    JS_FreeValue(context, module);
    return JS_EXCEPTION;
  }
  return JS_EvalFunction(context, module);
}
