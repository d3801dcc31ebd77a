// tsrun-compiler OUT NAME=FILE...: compiles ES modules to bytecode and writes them as one image (modules.h).
//
// Runs when tsrun is built. Only the QuickJS that it is linked with can read its bytecode.
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "modules.h"

namespace {

// Imports are bound when the command runs; the compiler only needs a module of that name.
JSModuleDef* stand_in(JSContext* context, const char* name, void*) {
  return JS_NewCModule(context, name, [](JSContext*, JSModuleDef*) { return 0; });
}

bool compile(JSRuntime* runtime, const std::string& name, const char* path, std::string* code) {
  std::ifstream file(path, std::ios::binary);
  std::string source((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (!file || source.empty()) {
    fprintf(stderr, "tsrun-compiler: cannot read %s\n", path);
    return false;
  }
  // A new context for each module: a context takes each name only once.
  JSContext* context = JS_NewContext(runtime);
  JSValue module =
      JS_Eval(context, source.c_str(), source.size(), name.c_str(), JS_EVAL_TYPE_MODULE | JS_EVAL_FLAG_COMPILE_ONLY);
  if (JS_IsException(module)) {
    JSValue error = JS_GetException(context);
    const char* text = JS_ToCString(context, error);
    fprintf(stderr, "tsrun-compiler: %s: %s\n", path, text == nullptr ? "?" : text);
    return false;
  }
  size_t size = 0;
  uint8_t* bytes = JS_WriteObject(context, &size, module, JS_WRITE_OBJ_BYTECODE | JS_WRITE_OBJ_STRIP_SOURCE);
  if (bytes == nullptr) return false;
  code->assign(reinterpret_cast<char*>(bytes), size);
  js_free(context, bytes);
  return true;
}

}  // namespace

int main(int count, char** values) {
  if (count < 3) {
    fprintf(stderr, "usage: tsrun-compiler OUT NAME=FILE...\n");
    return 2;
  }
  JSRuntime* runtime = JS_NewRuntime();
  // Function names and line numbers stay, for the stack of an internal error; the source would triple the size.
  JS_SetModuleLoaderFunc(runtime, nullptr, stand_in, nullptr);
  std::vector<Module> modules;
  for (int i = 2; i < count; i++) {
    const char* equals = strchr(values[i], '=');
    if (equals == nullptr) return 2;
    Module module;
    module.name.assign(values[i], equals - values[i]);
    if (!compile(runtime, module.name, equals + 1, &module.code)) return 1;
    modules.push_back(module);
  }
  std::string image = image_of(modules);
  std::ofstream out(values[1], std::ios::binary | std::ios::trunc);
  out.write(image.data(), static_cast<std::streamsize>(image.size()));
  out.close();
  return out ? 0 : 1;
}
