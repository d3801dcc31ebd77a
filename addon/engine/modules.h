// The command's JavaScript as bytecode (compiler.cc), for the build: it loads all of it into the snapshot.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "quickjs.h"

struct Module {
  std::string name;
  std::string code;
};

// An image holds modules, little-endian, without padding: a header, `count` entries, then what they point to.
std::string image_of(const std::vector<Module>& modules);

// Empty when the file is no image.
std::vector<Module> read_image(const char* path);

// Evaluates a module and all that it imports; false, with an exception, when that fails. `modules` must stay.
bool run_module(JSContext* context, const std::vector<Module>& modules, const std::string& name);
