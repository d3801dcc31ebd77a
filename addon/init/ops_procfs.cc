// Everything that is written to /proc goes through a procfs of init's own, which the container cannot shadow with
// mounts of its own (CVE-2019-16884, CVE-2025-52881).
#include <linux/openat2.h>
#include <sys/stat.h>

#include "mount_api.h"
#include "ops.h"
#include "path.h"

namespace tsrun {

namespace {

constexpr long kProcMagic = 0x9fa0;
constexpr uint64_t kProcRootInode = 1;

struct KernelStatfs {  // struct statfs of 64-bit kernels
  long type;
  long rest[14];
};

// A copy of the host's mount, taken before pivot-root, when a fresh procfs is refused (a user namespace in a container
// whose own /proc has masks). It must be the root of a procfs, not something that looks like one.
long copy_host_procfs() {
  Fd proc(open_at(AT_FDCWD, "/proc", O_PATH | O_DIRECTORY, RESOLVE_NO_SYMLINKS));
  if (!proc.ok()) return fail(proc.error(), "/proc");
  KernelStatfs kind = {};
  struct statx status = {};
  sys(__NR_fstatfs, proc.get(), &kind);
  sys(__NR_statx, proc.get(), "", AT_EMPTY_PATH, STATX_INO, &status);
  if (kind.type != kProcMagic || status.stx_ino != kProcRootInode) return fail(-ENOTDIR, "/proc is no procfs");
  return clone_tree(proc.get(), false);
}

int write_file(const char* path, const char* value, size_t size) {
  Fd file(open_at(ctx.proc_fd, path, O_WRONLY, RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS));
  if (!file.ok()) return fail(file.error(), path);
  long written = sys(__NR_write, file.get(), value, size);
  return written < 0 ? fail(written, path) : 0;
}

}  // namespace

int run(const OpenProcfsOp&) {
  long fd = new_filesystem("proc", "proc", nullptr, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
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
  char path[64] = "";
  char digits[24];
  append(path, sizeof(path), decimal(digits, sys(__NR_getpid)));
  append(path, sizeof(path), "/oom_score_adj");
  const char* value = decimal(digits, op.value);
  return write_file(path, value, length(value));
}

}  // namespace tsrun
