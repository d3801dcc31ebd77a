// Joining namespaces by descriptor, and taking IDs inside a user namespace.
#include <linux/capability.h>
#include <linux/prctl.h>
#include <linux/sched.h>

#include "ops.h"
#include "path.h"
#include "procfs.h"

namespace tsrun {

namespace {

// setresuid(2) away from the namespace's root clears the effective set; permitted capabilities may be raised again.
int raise_permitted() {
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct data[2];
  long error = sys(__NR_capget, &header, data);
  if (error < 0) return fail(error, "capget");
  for (struct __user_cap_data_struct& half : data) half.effective = half.permitted;
  error = sys(__NR_capset, &header, data);
  return error < 0 ? fail(error, "capset") : 0;
}

}  // namespace

int run(const SetDumpableOp& op) { return static_cast<int>(sys(__NR_prctl, PR_SET_DUMPABLE, op.dumpable)); }

int run(const JoinNamespaceOp& op) {
  long error = sys(__NR_setns, op.ns, op.flag);
  close_fd(static_cast<int>(op.ns));
  return error < 0 ? fail(error, text(op.type)) : keep_tracers_out();
}

int run(const AdoptIdsOp& op) {
  sys(__NR_prctl, PR_SET_KEEPCAPS, 1, 0, 0, 0);
  long error = sys(__NR_setresgid, op.gid, op.gid, op.gid);
  if (error < 0) return fail(error, "setresgid");
  error = sys(__NR_setresuid, op.uid, op.uid, op.uid);
  if (error < 0) return fail(error, "setresuid");
  keep_tracers_out();
  sys(__NR_prctl, PR_SET_KEEPCAPS, 0, 0, 0, 0);
  return raise_permitted();
}

int run(const WriteTimeOffsetsOp& op) {
  Fd proc(open_host_procfs());
  if (!proc.ok()) return proc.error();
  for (uint32_t i = 0; i < op.offsets.count; i++) {
    Str line = strings(op.offsets)[i];
    int error = write_process_file(proc.get(), "timens_offsets", text(line), line.length);
    if (error < 0) return error;
  }
  return 0;
}

}  // namespace tsrun
