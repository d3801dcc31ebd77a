#include "sealed_image.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

namespace tsrun {

namespace {

constexpr unsigned kMfdExec = 0x10;  // MFD_EXEC, Linux 6.3; needed where vm.memfd_noexec says so
constexpr int kSeals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;

}  // namespace

int write_all_at(int fd, const void* bytes, size_t size, size_t offset) {
  const char* at = static_cast<const char*>(bytes);
  while (size > 0) {
    ssize_t put = pwrite(fd, at, size, static_cast<off_t>(offset));
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return put < 0 ? errno : EIO;
    at += put;
    offset += static_cast<size_t>(put);
    size -= static_cast<size_t>(put);
  }
  return 0;
}

int sealed_image(const char* name, const char* bytes, size_t size) {
  unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  int fd = memfd_create(name, flags | kMfdExec);
  if (fd < 0 && errno == EINVAL) fd = memfd_create(name, flags);
  if (fd < 0) return -1;
  int error = write_all_at(fd, bytes, size, 0);
  if (error == 0 && fcntl(fd, F_ADD_SEALS, kSeals) == 0) return fd;
  if (error == 0) error = errno;
  close(fd);
  errno = error;
  return -1;
}

}  // namespace tsrun
