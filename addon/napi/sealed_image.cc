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

int sealed_image(const char* name, const char* bytes, size_t size) {
  unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  int fd = memfd_create(name, flags | kMfdExec);
  if (fd < 0 && errno == EINVAL) fd = memfd_create(name, flags);
  if (fd < 0) return -1;
  if (write(fd, bytes, size) == static_cast<ssize_t>(size) && fcntl(fd, F_ADD_SEALS, kSeals) == 0) return fd;
  int error = errno;
  close(fd);
  errno = error;
  return -1;
}

}  // namespace tsrun
