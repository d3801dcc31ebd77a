// Everything that is written to /proc goes through a procfs of init's own, which the container cannot shadow with
// mounts of its own (CVE-2019-16884, CVE-2025-52881).
#include <linux/openat2.h>
#include <sys/stat.h>

#include "mount_api.h"
#include "ops.h"
#include "path.h"
#include "procfs.h"

namespace tsrun {

namespace {

constexpr uint64_t kProcRootInode = 1;

// A copy of the host's mount, taken before pivot-root, when a fresh procfs is refused (a user namespace in a container
// whose own /proc has masks). It must be the root of a procfs, not something that looks like one.
long copy_host_procfs() {
  Fd proc(open_at(AT_FDCWD, "/proc", O_PATH | O_DIRECTORY, RESOLVE_NO_SYMLINKS));
  if (!proc.ok()) return fail(proc.error(), "/proc");
  struct statx status = {};
  sys(__NR_statx, proc.get(), "", AT_EMPTY_PATH, STATX_INO, &status);
  if (!is_procfs(proc.get()) || status.stx_ino != kProcRootInode) return fail(-ENOTDIR, "/proc is no procfs");
  return clone_tree(proc.get(), false);
}

int write_file(const char* path, const char* value, size_t size) {
  Fd file(open_at(ctx.proc_fd, path, O_WRONLY, RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS));
  if (!file.ok()) return fail(file.error(), path);
  long written = sys(__NR_write, file.get(), value, size);
  return written < 0 ? fail(written, path) : 0;
}

}  // namespace

int write_own_file(const char* path, const char* value, size_t size) {
  // Not getpid(): a copy of the host's procfs numbers processes as the host does.
  char own[kPathMax] = "";
  long got = sys(__NR_readlinkat, ctx.proc_fd, "self", own, 32);
  if (got < 0) return fail(got, "self");
  own[got] = 0;
  append(own, sizeof(own), "/");
  if (!append(own, sizeof(own), path)) return fail(-ENAMETOOLONG, path);
  return write_file(own, value, size);
}

int run(const OpenProcfsOp&) {
  Filesystem proc = {};
  proc.type = proc.source = "proc";
  proc.attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
  long fd = new_filesystem(proc);
  if (fd == -EPERM || fd == -EBUSY) fd = copy_host_procfs();
  if (fd < 0) return static_cast<int>(fd);
  ctx.proc_fd = static_cast<int>(fd);
  return 0;
}

int run(const WriteSysctlOp& op) {
  char path[kPathMax] = "sys/";
  if (!append(path, sizeof(path), text(op.key))) return fail(-ENAMETOOLONG, text(op.key));
  return write_file(path, text(op.value), op.value.length);
}

int run(const SetOomScoreAdjOp& op) {
  // The host's procfs: this runs before anything of the container is there, and before reset-process makes the file
  // root's, as it does for every process that is not dumpable.
  constexpr const char* kPath = "/proc/self/oom_score_adj";
  Fd file(open_at(AT_FDCWD, kPath, O_WRONLY, 0));
  if (!file.ok()) return fail(file.error(), kPath);
  char digits[24];
  const char* value = decimal(digits, op.value);
  long written = sys(__NR_write, file.get(), value, length(value));
  return written < 0 ? fail(written, kPath) : 0;
}

}  // namespace tsrun
