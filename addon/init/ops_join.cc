// Joining an existing container, and going on in a child.
#include <errno.h>
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

namespace {

// Write end of the pipe that the child waits at.
int parting_gate;

// Tells the runtime the child's pid, as the host knows it, and ends.
[[noreturn]] void part(long pid) {
  bool told = send(kPid, 0, static_cast<uint32_t>(pid)) >= 0;
  if (told) sys(__NR_write, parting_gate, "", 1);
  quit(told ? 0 : 1);
}

// Page tables are not copied for a process that is about to end, but both go on with the same memory: the child on the
// stack that there is, the other on one of its own, in part(), while the child waits. 0 in the child, or an errno.
long clone_sharing(struct clone_args* how) {
  alignas(16) static char stack[2048];
#if defined(__x86_64__)
  register long result asm("rax") = __NR_clone3;
  register char* top asm("r12") = stack + sizeof(stack);
  register void (*entry)(long) asm("r13") = part;
  asm volatile(
      "syscall\n"
      "test %%rax, %%rax\n"
      "jle 1f\n"
      "mov %%r12, %%rsp\n"
      "xor %%ebp, %%ebp\n"
      "mov %%rax, %%rdi\n"
      "call *%%r13\n"
      "ud2\n"
      "1:\n"
      : "+r"(result)
      : "D"(how), "S"(sizeof(*how)), "r"(top), "r"(entry)
      : "rcx", "r11", "memory", "cc");
  return result;
#elif defined(__aarch64__)
  register long x8 asm("x8") = __NR_clone3;
  register long x0 asm("x0") = reinterpret_cast<long>(how);
  register long x1 asm("x1") = sizeof(*how);
  register char* top asm("x20") = stack + sizeof(stack);
  register void (*entry)(long) asm("x21") = part;
  asm volatile(
      "svc 0\n"
      "cmp x0, #0\n"
      "b.le 1f\n"
      "mov sp, x20\n"
      "mov x29, #0\n"
      "blr x21\n"
      "brk #1\n"
      "1:\n"
      : "+r"(x0)
      : "r"(x8), "r"(x1), "r"(top), "r"(entry)
      : "memory", "cc", "x30");
  return x0;
#endif
}

// The pid, or 0 in the child; does not return in the parent if both share their memory.
long clone_on(uint64_t flags) {
  struct clone_args how = {};
  how.flags = CLONE_PARENT | CLONE_VM | flags;
  long pid = clone_sharing(&how);
  // Processes of two time namespaces cannot share memory.
  if (pid != -EINVAL) return pid;
  how.flags = CLONE_PARENT | flags;
  return sys(__NR_clone3, &how, sizeof(how));
}

}  // namespace

int run(const ForkChildOp& op) {
  // The child waits for a byte, so that it reports nothing before the runtime knows its pid. If none comes, the runtime
  // is gone, and nobody would know of the child.
  int gate[2];
  long error = sys(__NR_pipe2, gate, 02000000 /* O_CLOEXEC */);
  if (error < 0) return static_cast<int>(error);
  error = keep_oom_score_adj_for_child();
  if (error < 0) return static_cast<int>(error);
  parting_gate = gate[1];
  long pid = clone_on(op.flags);
  if (pid < 0) return fail(pid, "clone3");
  if (pid > 0) part(pid);
  Fd gate_read(gate[0]);
  close_fd(gate[1]);
  char byte;
  if (sys(__NR_read, gate[0], &byte, 1) != 1) quit(1);
  // At the end of file the other has given up the memory, which no longer has two users: unshare(2) of a user namespace
  // asks for that, and oom_score_adj belongs to all users of a memory.
  sys(__NR_read, gate[0], &byte, 1);
  return 0;
}

int run(const HoldRootOp&) {
  long root = sys(__NR_openat, AT_FDCWD, "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (root < 0) return fail(root, "/");
  ctx.root_fd = static_cast<int>(root);
  return 0;
}

}  // namespace tsrun
