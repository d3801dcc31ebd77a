// Everything that is written to /proc goes through a procfs of init's own, which the container cannot shadow with
// mounts of its own (CVE-2019-16884, CVE-2025-52881).
#include "mount_api.h"
#include "oom.h"
#include "ops.h"
#include "path.h"
#include "procfs.h"

namespace tsrun {

namespace {

// Holds the host's procfs before pivot-root, because the kernel has refused a new one: in a user namespace that shares
// its pid namespace, or in a container whose /proc has masks. As a detached copy if possible. A mount with locked masks
// cannot be copied without them, and in a mount namespace that its user namespace does not own, init can copy no mount.
long hold_host_procfs() {
  Fd proc(open_host_procfs());
  if (!proc.ok()) return proc.error();
  long tree = clone_tree(proc.get(), false);
  return tree == -EINVAL || tree == -EPERM ? proc.release() : tree;
}

// Fails unless the kernel has the parameter per namespace. It does if init finds another file in the host's directory
// than the one that the runtime holds: while that is held, a lookup finds it again, so the same parameter cannot get
// another inode.
int demand_own(const WriteSysctlOp& op) {
  Fd file(open_at(static_cast<int>(op.host_directory), text(op.key), O_PATH | O_NOFOLLOW, 0));
  if (!file.ok()) return fail(file.error(), text(op.key));
  struct statx ours = {}, theirs = {};
  int error = status_of(file.get(), &ours);
  if (error == 0) error = status_of(static_cast<int>(op.host_file), &theirs);
  if (error < 0) return fail(error, text(op.key));
  bool same_filesystem = ours.stx_dev_major == theirs.stx_dev_major && ours.stx_dev_minor == theirs.stx_dev_minor;
  if (same_filesystem && ours.stx_ino != theirs.stx_ino) return 0;
  return fail(-EOPNOTSUPP, "this kernel has it once for all, and setting it would change the host");
}

}  // namespace

int run(const OpenProcfsOp&) {
  Filesystem proc = {};
  proc.type = proc.source = "proc";
  proc.attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
  long fd = new_filesystem(proc);
  if (fd == -EPERM || fd == -EBUSY) fd = hold_host_procfs();
  if (fd < 0) return static_cast<int>(fd);
  ctx.proc_fd = static_cast<int>(fd);
  return reopen_oom_score_adj();
}

int run(const WriteSysctlOp& op) {
  char path[kPathMax] = "sys/";
  if (!append(path, sizeof(path), text(op.key))) return fail(-ENAMETOOLONG, text(op.key));
  int refused = op.host_file >= 0 ? demand_own(op) : 0;
  if (refused < 0) return refused;
  Fd file(open_proc_file(ctx.proc_fd, path, O_WRONLY));
  if (!file.ok()) return file.error();
  long written = sys(__NR_write, file.get(), text(op.value), op.value.length);
  return written < 0 ? fail(written, path) : 0;
}

}  // namespace tsrun
