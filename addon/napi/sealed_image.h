#pragma once
#include <cstddef>

namespace tsrun {

// A memory file with these bytes, sealed against every change (memfd_create(2), fcntl(2)), to be executed: no program
// of the host has to be found, trusted or reached for it. Close-on-exec. -1 and errno when it cannot be had.
int sealed_image(const char* name, const char* bytes, size_t size);

}  // namespace tsrun
