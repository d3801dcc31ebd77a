#include "caller.h"

#include <fcntl.h>
#include <sys/auxv.h>
#include <sys/resource.h>
#include <sys/stat.h>

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

bool is_privileged_file() {
  if (getauxval(AT_UID) == getauxval(AT_EUID) && getauxval(AT_GID) == getauxval(AT_EGID)) return false;
  // The caller's own IDs may differ, as in a setuid program that starts us. Without /proc this cannot be told apart.
  struct stat status;
  return stat("/proc/self/exe", &status) != 0 || (status.st_mode & (S_ISUID | S_ISGID)) != 0;
}

int refuse_privileged_file() {
  fputs("tsrun: will not run setuid or setgid: anybody would be root with it (chmod a-s)\n", stderr);
  return 1;
}
