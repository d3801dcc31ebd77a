#include "procfs.h"

#include <linux/openat2.h>
#include <sys/stat.h>

#include "path.h"

namespace tsrun {

namespace {

constexpr uint64_t kProcRootInode = 1;

}  // namespace

long open_host_procfs() {
  Fd proc(open_at(AT_FDCWD, "/proc", O_PATH | O_DIRECTORY, RESOLVE_NO_SYMLINKS));
  if (!proc.ok()) return fail(proc.error(), "/proc");
  struct statx status = {};
  sys(__NR_statx, proc.get(), "", AT_EMPTY_PATH, STATX_INO, &status);
  if (!is_procfs(proc.get()) || status.stx_ino != kProcRootInode) return fail(-ENOTDIR, "/proc is no procfs");
  return proc.release();
}

long open_proc_file(int proc_fd, const char* path, uint64_t flags) {
  long fd = open_at(proc_fd, path, flags, RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS);
  return fd < 0 ? fail(fd, path) : fd;
}

long open_process_file(int proc_fd, const char* name, uint64_t flags) {
  // The link's text, not the link: resolving it would allow every other symlink too.
  char path[kPathMax];
  long got = sys(__NR_readlinkat, proc_fd, "self", path, 32);
  if (got < 0) return fail(got, "/proc/self");
  path[got] = 0;
  append(path, sizeof(path), "/");
  if (!append(path, sizeof(path), name)) return fail(-ENAMETOOLONG, name);
  return open_proc_file(proc_fd, path, flags);
}

int write_process_file(int proc_fd, const char* name, const char* value, size_t size) {
  Fd file(open_process_file(proc_fd, name, O_WRONLY));
  if (!file.ok()) return file.error();
  long written = sys(__NR_write, file.get(), value, size);
  if (written < 0) return fail(written, name);
  return static_cast<size_t>(written) == size ? 0 : fail(-EIO, name);
}

}  // namespace tsrun
