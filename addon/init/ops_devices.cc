// Device nodes and the links that programs expect in /dev.
#include <linux/openat2.h>
#include <sys/stat.h>

#include "ops.h"
#include "path.h"

namespace tsrun {

namespace {

uint64_t device_number(uint64_t major, uint64_t minor) {
  return ((major & 0xfffff000u) << 32) | ((major & 0xfff) << 8) | ((minor & 0xffffff00u) << 12) | (minor & 0xff);
}

// An entry that is already there is right only when it is the same device (config-linux.md, Devices).
int check_existing(int parent_fd, const char* name, const MakeDeviceOp& op) {
  struct statx status = {};
  long error = sys(__NR_statx, parent_fd, name, AT_SYMLINK_NOFOLLOW, STATX_TYPE, &status);
  if (error < 0) return fail(error, text(op.path));
  bool same_type = (status.stx_mode & S_IFMT) == (op.mode & S_IFMT);
  bool fifo = (op.mode & S_IFMT) == S_IFIFO;
  bool same_number = fifo || (status.stx_rdev_major == op.major && status.stx_rdev_minor == op.minor);
  return same_type && same_number ? 0 : fail(-EEXIST, text(op.path));
}

}  // namespace

int run(const MakeDeviceOp& op) {
  const char* name;
  Fd parent(open_parent(text(op.path), &name));
  if (!parent.ok()) return parent.error();
  long error = sys(__NR_mknodat, parent.get(), name, op.mode, device_number(op.major, op.minor));
  if (error < 0 && error != -EEXIST) return fail(error, text(op.path));
  // Also after our own mknodat: what stands there now must be what was asked for (CVE-2026-41579).
  int mismatch = check_existing(parent.get(), name, op);
  if (mismatch < 0) return mismatch;
  error = sys(__NR_fchownat, parent.get(), name, op.uid, op.gid, AT_SYMLINK_NOFOLLOW);
  return error < 0 ? fail(error, text(op.path)) : 0;
}

int run(const MakeSymlinkOp& op) {
  const char* name;
  Fd parent(open_parent(text(op.path), &name));
  if (!parent.ok()) return parent.error();
  long error = sys(__NR_symlinkat, text(op.target), parent.get(), name);
  return error < 0 && error != -EEXIST ? fail(error, text(op.path)) : 0;
}

}  // namespace tsrun
