#include "caller.h"

#include <fcntl.h>
#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>

namespace {

void remember_nofile() {
  rlimit limit = {};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  char value[32];
  snprintf(value, sizeof(value), "%llu", static_cast<unsigned long long>(limit.rlim_cur));
  setenv("TSRUN_NOFILE", value, 1);
}

void remember_descriptors() {
  int fd = 3;
  while (fcntl(fd, F_GETFD) >= 0) fd++;
  char value[16];
  snprintf(value, sizeof(value), "%d", fd - 3);
  setenv("TSRUN_FDS", value, 1);
}

}  // namespace

void remember_caller() {
  remember_nofile();
  remember_descriptors();
}
