#include "sdbus.h"

#include <dlfcn.h>

namespace tsrun {

namespace {

const SdBus* resolve(void* library, SdBus* functions) {
#define TSRUN_SD_BUS_RESOLVE(name, result, parameters)                             \
  functions->name = reinterpret_cast<result(*) parameters>(dlsym(library, #name)); \
  if (functions->name == nullptr) return nullptr;
  TSRUN_SD_BUS(TSRUN_SD_BUS_RESOLVE)
#undef TSRUN_SD_BUS_RESOLVE
  return functions;
}

}  // namespace

const SdBus* load_sd_bus(const char** error) {
  static SdBus functions;
  static const SdBus* loaded = nullptr;
  if (loaded != nullptr) return loaded;
  void* library = dlopen("libsystemd.so.0", RTLD_NOW | RTLD_LOCAL);
  if (library != nullptr) loaded = resolve(library, &functions);
  if (loaded == nullptr) *error = dlerror();
  return loaded;
}

}  // namespace tsrun
