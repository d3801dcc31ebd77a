// A container's /etc/passwd or /etc/group: what is found is whole and within its bounds. The first byte chooses the
// function.
#include "../../../addon/init/passwd.h"

#include <cstdlib>

#include "../../../addon/init/path.h"

namespace tsrun {

namespace {
int file = -1;
}

// The container's file is the input, whatever its path.
long open_in_root(const char*, uint64_t, uint64_t) { return sys(__NR_dup, file); }

int status_of(int, struct statx* status) {
  status->stx_mode = S_IFREG;
  return 0;
}

}  // namespace tsrun

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tsrun;
  if (size == 0) return 0;
  file = static_cast<int>(sys(__NR_memfd_create, "passwd", 0));
  sys(__NR_write, file, data + 1, size - 1);
  sys(__NR_lseek, file, 0, 0);
  uint64_t user = 0;
  uint64_t group = 0;
  char home[64];
  if (data[0] % 3 == 0 && home_of(data[0] / 3, home, sizeof(home)) && home[0] != '/') abort();
  if (data[0] % 3 == 1 && find_user("user", &user, &group) && (user > 0xfffffffe || group > 0xfffffffe)) abort();
  if (data[0] % 3 == 2 && find_group("user", &group) && group > 0xfffffffe) abort();
  sys(__NR_close, file);
  return 0;
}
