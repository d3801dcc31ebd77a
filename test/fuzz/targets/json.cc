// Any text, JSON or not: the scan runs before JSON.parse.
#include <cstdint>
#include <string>

#include "../../../addon/common/key_scan.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string text(reinterpret_cast<const char*>(data), size);
  tsrun::KeyScan(text, 64).run();
  return 0;
}
