// Who owns the standard streams: a program that is not root can open /dev/stdout and /dev/stderr only as their owner
// and mode allow.
#include <sys/stat.h>

#include "base.h"
#include "ops.h"
#include "path.h"

namespace tsrun {

namespace {

constexpr long kPipeMagic = 0x50495045;
constexpr int kAccessMode = 3;  // O_ACCMODE

// A pipe has no name, so a new owner is visible only to those who hold the pipe.
bool is_pipe(int fd) { return filesystem_of(fd) == kPipeMagic; }

// A file that the caller made for the output: it is open for writing, and the caller's own.
bool is_output_file(int fd, const struct statx& status) {
  unsigned type = status.stx_mode & S_IFMT;
  if (fd == 0 || (type != S_IFREG && type != S_IFIFO)) return false;
  long flags = sys(__NR_fcntl, fd, F_GETFL, 0);
  if (flags < 0 || (flags & O_PATH) != 0 || (flags & kAccessMode) == O_RDONLY) return false;
  return status.stx_uid == static_cast<uint32_t>(sys(__NR_geteuid));
}

// The host's devices keep their owner: /dev/null is everybody's, and a terminal's owner goes on using it.
bool is_to_be_given(int fd, const struct statx& status, bool terminal) {
  if ((status.stx_mode & S_IFMT) == S_IFCHR) return terminal;
  return is_pipe(fd) || is_output_file(fd, status);
}

// The ID is not in this user namespace, or the filesystem is read-only or has no owners.
bool is_excused(long error) {
  return error == -EPERM || error == -EINVAL || error == -EROFS || error == -ENOSYS || error == -EOPNOTSUPP;
}

}  // namespace

int run(const OwnStdioOp& op) {
  auto uid = static_cast<uint32_t>(ctx.has_user ? ctx.user : op.uid);
  for (int fd = 0; fd < 3; fd++) {
    struct statx status = {};
    long error = sys(__NR_statx, fd, "", AT_EMPTY_PATH, STATX_TYPE | STATX_UID, &status);
    if (error == -EBADF) continue;
    if (error < 0) return fail(error, "standard streams");
    if (status.stx_uid == uid || !is_to_be_given(fd, status, op.terminal)) continue;
    error = sys(__NR_fchown, fd, uid, -1);
    if (error < 0 && !is_excused(error)) return fail(error, "standard streams");
  }
  return 0;
}

}  // namespace tsrun
