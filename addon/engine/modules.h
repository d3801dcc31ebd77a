// The command's JavaScript, compiled to bytecode when tsrun was built (compiler.cc), and found by name when it is
// imported.
#pragma once
#include <cstdint>

#include "quickjs.h"

// The layout of the image, little-endian, without padding: a header, `count` entries, then what they point to.
struct ImageHeader {
  uint32_t magic;
  uint32_t count;
};
struct ImageEntry {
  uint32_t name, name_size, code, code_size;
};
constexpr uint32_t kImageMagic = 0x6a737354;

// Lets imports find the modules of the image that is linked in (image.S).
void use_image(JSRuntime* runtime);

// Evaluates a module of the image and all that it imports. The promise of its evaluation, or an exception.
JSValue run_module(JSContext* context, const char* name);
