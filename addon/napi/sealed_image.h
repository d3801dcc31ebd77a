#pragma once
#include <cstddef>

namespace tsrun {

// Writes all bytes at an offset of the file. Returns 0 or an errno: at a limit of file size or memory one write may be
// short, and only the next one fails.
int write_all_at(int fd, const void* bytes, size_t size, size_t offset);

// A memory file with these bytes to execute, sealed against every change (memfd_create(2), fcntl(2)): no program of the
// host has to be found or trusted, or can be reached through it. Close-on-exec. -1, with errno, on failure.
int sealed_image(const char* name, const char* bytes, size_t size);

}  // namespace tsrun
