#include <unistd.h>

#include <cerrno>

#include "library_calls.h"

bool read_to_end(int fd, std::string* bytes) {
  char buffer[16384];
  for (;;) {
    ssize_t got = read(fd, buffer, sizeof(buffer));
    if (got == 0) return true;
    if (got > 0)
      bytes->append(buffer, static_cast<size_t>(got));
    else if (errno != EINTR)
      return false;
  }
}

bool write_whole(int fd, const uint8_t* bytes, size_t size) {
  while (size > 0) {
    ssize_t put = write(fd, bytes, size);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return false;
    bytes += put;
    size -= static_cast<size_t>(put);
  }
  return true;
}
