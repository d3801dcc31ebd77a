// Joining an existing container, and going on in a child.
#include <linux/sched.h>
#include <linux/signal.h>

#include "base.h"
#include "oom.h"
#include "ops.h"

namespace tsrun {

int run(const JoinContainerOp& op) {
  // A container that shares all of the runtime's namespaces has none to join.
  long error = op.flags == 0 ? 0 : sys(__NR_setns, op.container, op.flags);
  // Nothing of the host may stay open once we are inside (CVE-2016-9962, CVE-2024-21626).
  close_fd(static_cast<int>(op.container));
  return error < 0 ? fail(error, "setns") : keep_tracers_out();
}

int run(const ForkChildOp& op) {
  // The child waits for a byte, so that it reports nothing before the runtime knows its pid. If none comes, the runtime
  // is gone, and nobody would know of the child.
  int gate[2];
  long error = sys(__NR_pipe2, gate, 02000000 /* O_CLOEXEC */);
  if (error < 0) return static_cast<int>(error);
  error = keep_oom_score_adj_for_child();
  if (error < 0) return static_cast<int>(error);
  struct clone_args how = {};
  how.flags = CLONE_PARENT | op.flags;
  long pid = sys(__NR_clone3, &how, sizeof(how));
  if (pid < 0) return fail(pid, "clone3");
  if (pid > 0) {
    bool told = send(kPid, 0, static_cast<uint32_t>(pid)) >= 0;
    if (told) sys(__NR_write, gate[1], "", 1);
    quit(told ? 0 : 1);
  }
  Fd gate_read(gate[0]);
  close_fd(gate[1]);
  char byte;
  if (sys(__NR_read, gate[0], &byte, 1) != 1) quit(1);
  return 0;
}

int run(const HoldRootOp&) {
  long root = sys(__NR_openat, AT_FDCWD, "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (root < 0) return fail(root, "/");
  ctx.root_fd = static_cast<int>(root);
  return 0;
}

}  // namespace tsrun
