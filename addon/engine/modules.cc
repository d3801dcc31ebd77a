#include "modules.h"

#include <cstring>
#include <fstream>
#include <iterator>

namespace {

constexpr uint32_t kMagic = 0x6a737354;

struct Header {
  uint32_t magic, count;
};

struct Entry {
  uint32_t name, name_size, code, code_size;
};

// All modules are in one directory, so a path before the name has no meaning.
char* normalize(JSContext* context, const char*, const char* name, void*) {
  const char* slash = strrchr(name, '/');
  return js_strdup(context, slash == nullptr ? name : slash + 1);
}

JSValue read_module(JSContext* context, const std::vector<Module>& modules, const std::string& wanted) {
  for (const auto& [name, code] : modules) {
    if (name != wanted) continue;
    return JS_ReadObject(context, reinterpret_cast<const uint8_t*>(code.data()), code.size(), JS_READ_OBJ_BYTECODE);
  }
  return JS_ThrowReferenceError(context, "no module %s", wanted.c_str());
}

JSModuleDef* load(JSContext* context, const char* name, void* modules) {
  JSValue module = read_module(context, *static_cast<const std::vector<Module>*>(modules), name);
  if (JS_IsException(module)) return nullptr;
  auto* definition = static_cast<JSModuleDef*>(JS_VALUE_GET_PTR(module));
  // The context's list of modules keeps it alive.
  JS_FreeValue(context, module);
  return definition;
}

template <typename T>
void append(std::string* bytes, const T& value) {
  bytes->append(reinterpret_cast<const char*>(&value), sizeof(value));
}

}  // namespace

std::string image_of(const std::vector<Module>& modules) {
  std::string image, contents;
  auto at = static_cast<uint32_t>(sizeof(Header) + modules.size() * sizeof(Entry));
  append(&image, Header{kMagic, static_cast<uint32_t>(modules.size())});
  for (const auto& [name, code] : modules) {
    auto name_size = static_cast<uint32_t>(name.size()), code_size = static_cast<uint32_t>(code.size());
    append(&image, Entry{at, name_size, at + name_size, code_size});
    contents += name + code;
    at += name_size + code_size;
  }
  return image + contents;
}

std::vector<Module> read_image(const char* path) {
  std::ifstream file(path, std::ios::binary);
  std::string image((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  const auto* header = reinterpret_cast<const Header*>(image.data());
  if (image.size() < sizeof(Header) || header->magic != kMagic) return {};
  const auto* entries = reinterpret_cast<const Entry*>(header + 1);
  std::vector<Module> modules;
  for (uint32_t i = 0; i < header->count; i++) {
    const Entry& entry = entries[i];
    modules.push_back({image.substr(entry.name, entry.name_size), image.substr(entry.code, entry.code_size)});
  }
  return modules;
}

bool run_module(JSContext* context, const std::vector<Module>& modules, const std::string& name) {
  JSRuntime* runtime = JS_GetRuntime(context);
  JS_SetModuleLoaderFunc(runtime, normalize, load, const_cast<std::vector<Module>*>(&modules));
  // Another module may have imported it already; importing gives the same instance.
  JSValue imported = JS_LoadModule(context, "", name.c_str());
  JSContext* where = nullptr;
  int outcome = 1;
  while (outcome > 0) outcome = JS_ExecutePendingJob(runtime, &where);
  bool done = outcome == 0 && !JS_IsException(imported) && JS_PromiseState(context, imported) == JS_PROMISE_FULFILLED;
  if (!done && JS_PromiseState(context, imported) == JS_PROMISE_REJECTED) {
    JS_Throw(context, JS_PromiseResult(context, imported));
  }
  JS_FreeValue(context, imported);
  return done;
}
