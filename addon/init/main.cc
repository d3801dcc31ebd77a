// tsrun-init: maps the plan, runs its ops in order with one switch, reports the first that fails, and becomes the
// container's process. argv[1] is the descriptor of the runtime's socket, argv[2] that of the plan.
#include <linux/mman.h>
#include <linux/prctl.h>
#include <linux/time.h>

#include "../common/init_name.h"
#include "../common/plan_check.h"
#include "../generated/ops.h"
#include "base.h"
#include "harden.h"
#include "ops.h"

namespace tsrun {
namespace {

int parse_fd(const char* s) {
  int value = 0;
  for (; *s >= '0' && *s <= '9'; s++) value = value * 10 + (*s - '0');
  return value;
}

const PlanHeader* map_plan(int fd) {
  long size = sys(__NR_lseek, fd, 0, 2 /* SEEK_END */);
  if (size < static_cast<long>(sizeof(PlanHeader))) die(EINVAL);
  // A sealed memfd: nobody can change it under us.
  long address = sys(__NR_mmap, 0, size, PROT_READ, MAP_PRIVATE, fd, 0);
  if (address < 0 && address > -4096) die(static_cast<int>(address));
  const char* plan = reinterpret_cast<const char*>(address);
  if (!PlanCheck(plan, static_cast<uint64_t>(size)).ok()) die(ENOEXEC);
  return reinterpret_cast<const PlanHeader*>(plan);
}

uint64_t now() {
  struct __kernel_timespec time = {};
  sys(__NR_clock_gettime, CLOCK_MONOTONIC, &time);
  return static_cast<uint64_t>(time.tv_sec) * 1000000000u + static_cast<uint64_t>(time.tv_nsec);
}

int run_op(const OpHeader* op) {
  const void* fields = op + 1;
  switch (static_cast<Opcode>(op->opcode)) {
#define TSRUN_CASE(Name) \
  case Opcode::k##Name:  \
    return run(*static_cast<const Name##Op*>(fields));
    TSRUN_INIT_OPS(TSRUN_CASE)
#undef TSRUN_CASE
  }
  return -ENOSYS;
}

bool is_wait_start(const char* at, bool is_op) {
  return is_op && reinterpret_cast<const OpHeader*>(at)->opcode == static_cast<uint32_t>(Opcode::kWaitStart);
}

void run_plan(const PlanHeader* plan) {
  if (plan->trace_fd >= 0) map_trace(plan->trace_fd);
  const char* at = reinterpret_cast<const char*>(plan + 1);
  for (uint32_t i = 0; i < plan->op_count; i++) {
    const OpHeader* op = reinterpret_cast<const OpHeader*>(at);
    at += op->size;
    ctx.op_index = op->index;
    ctx.detail[0] = 0;
    if (op->opcode == kSyncOpcode) {
      tell_runtime();
      // While the runtime does its part: closing the private procfs waits for RCU, some 0.2 ms.
      if (is_wait_start(at, i + 1 < plan->op_count)) close_setup();
      await_continue();
      continue;
    }
    if (ctx.trace != nullptr) ctx.trace[op->index * 2] = now();
    int error = run_op(op);
    // A filter may forbid the call that reads the time.
    if (ctx.filtered) ctx.trace = nullptr;
    if (ctx.trace != nullptr) ctx.trace[op->index * 2 + 1] = now();
    if (error < 0) die(error);
  }
}

}  // namespace

void map_trace(int fd) {
  uint64_t size = reinterpret_cast<const PlanHeader*>(ctx.plan)->plan_length * 16;
  long address = sys(__NR_mmap, 0, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (address > 0 || address <= -4096) ctx.trace = reinterpret_cast<uint64_t*>(address);
}

extern "C" [[noreturn]] __attribute__((no_stack_protector)) void tsrun_init(long* stack) {
  harden(stack);
  long count = stack[0];
  char** arguments = reinterpret_cast<char**>(stack + 1);
  if (count < 3) quit(1);
  ctx.sync_fd = parse_fd(arguments[1]);
  ctx.report_fd = ctx.sync_fd;
  ctx.root_fd = ctx.old_root_fd = ctx.oom_fd = ctx.proc_fd = ctx.null_fd = ctx.mask_fd = ctx.mount_fd = -1;
  int plan_fd = parse_fd(arguments[2]);
  ctx.op_index = kNoOp;
  // The runtime writes the plan while clone and exec take their time.
  await_continue();
  const PlanHeader* plan = map_plan(plan_fd);
  close_fd(plan_fd);
  ctx.plan = reinterpret_cast<const char*>(plan);
  sys(__NR_prctl, PR_SET_NAME, kInitName, 0, 0, 0);
  // The vfork child cleared close-on-exec on the descriptors that it passed on; set it again on all of them.
  sys(__NR_close_range, 3, ~0u, 4 /* CLOSE_RANGE_CLOEXEC */);
  run_plan(plan);
  quit(0);
}

}  // namespace tsrun

#if defined(__x86_64__)
asm(".globl _start\n_start:\n  endbr64\n  xor %ebp, %ebp\n  mov %rsp, %rdi\n  and $-16, %rsp\n  call tsrun_init\n");
#elif defined(__aarch64__)
asm(".globl _start\n_start:\n  mov x29, #0\n  mov x30, #0\n  mov x0, sp\n  bl tsrun_init\n");
#endif
