// The command's JavaScript as bytecode (compiler.cc). The build loads all of it into the snapshot.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "quickjs.h"

struct Module {
  std::string name;
  std::string code;
};

// An image holds modules: a header, `count` entries, then what they point to; little-endian, without padding.
std::string image_of(const std::vector<Module>& modules);

// Empty if the file is not an image.
std::vector<Module> read_image(const char* path);

// Evaluates a module and all that it imports; false, with an exception, if that fails. `modules` must outlive the
// runtime.
bool run_module(JSContext* context, const std::vector<Module>& modules, const std::string& name);
