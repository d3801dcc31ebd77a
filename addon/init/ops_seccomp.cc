// The seccomp filter, right before execve.
#include <linux/capability.h>

#include "listener.h"
#include "ops.h"

namespace tsrun {

namespace {

constexpr int kSetModeFilter = 1;  // SECCOMP_SET_MODE_FILTER
constexpr uint32_t kInstructionSize = 8;

// Raises CAP_SYS_ADMIN, which set-capabilities kept permitted. Only execve drops it again: the filter may forbid
// capset.
int raise_sys_admin() {
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct data[2];
  long error = sys(__NR_capget, &header, data);
  if (error < 0) return fail(error, "capget");
  data[0].effective |= 1u << CAP_SYS_ADMIN;
  error = sys(__NR_capset, &header, data);
  return error < 0 ? fail(error, "capset") : 0;
}

template <typename Op>
int load(const Op& op) {
  if (op.raise) {
    int error = raise_sys_admin();
    if (error < 0) return error;
  }
  FilterProgram program = {static_cast<uint16_t>(op.program.length / kInstructionSize), text(op.program)};
  if (op.listener) return load_with_listener(program, op.flags);
  long error = sys(__NR_seccomp, kSetModeFilter, op.flags, &program);
  if (error < 0) return static_cast<int>(error);
  ctx.filtered = true;
  return 0;
}

}  // namespace

int run(const LoadSeccompOp& op) { return load(op); }

int run(const FilterHooksOp& op) {
  ctx.hook_filter = &op;
  return 0;
}

int load_hook_filter() { return ctx.hook_filter == nullptr ? 0 : load(*ctx.hook_filter); }

}  // namespace tsrun
