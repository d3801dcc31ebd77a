#pragma once
#include <cstddef>

namespace tsrun {

// Writes all of it at an offset of the file, or says with an errno why not: one write may take less than it was given,
// at a limit of file sizes or of memory, and only the next one tells.
int write_all_at(int fd, const void* bytes, size_t size, size_t offset);

// A memory file with these bytes, sealed against every change (memfd_create(2), fcntl(2)), to be executed: no program
// of the host has to be found, trusted or reached for it. Close-on-exec. -1 and errno when it cannot be had.
int sealed_image(const char* name, const char* bytes, size_t size);

}  // namespace tsrun
