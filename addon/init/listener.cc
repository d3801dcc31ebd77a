// Handing over a seccomp listener. Once the filter is loaded, the filtered process can rely on no system call: each may
// fail, kill the process, or wait for an agent that does not have the listener yet. So three tasks share memory and
// descriptors:
//
//   init                        loader (a thread of init)        messenger (a process)
//    | clone(loader)              | spins                          |
//    | clone(messenger), VFORK    |                                | held = true: init is in its call
//    |   entered unfiltered:      | seccomp(TSYNC): filters        | waits for the result
//    |   the filter is asked      |   itself and init              |
//    |   when a call begins       | result = listener              |
//    |                            | spins: any call may be         | kDescriptor + SCM_RIGHTS
//    |                            |   forbidden                    | waits for kContinue
//    | <---------------------------------------------------- exit  |
//    | execve, which ends the loader
//
// A signal or a stop would restart a wait, as a new call that is filtered; it does not restart the clone of the
// messenger. The messenger is not a thread of init, so TSYNC leaves it alone. The kernel reaps it by itself, so the
// program finds no child that it does not know.
#include "listener.h"

#include <linux/prctl.h>
#include <linux/sched.h>
#include <linux/signal.h>
#include <linux/time.h>

namespace tsrun {

namespace {

constexpr int kSetModeFilter = 1;    // SECCOMP_SET_MODE_FILTER
constexpr long kPending = 1L << 40;  // neither a descriptor nor an errno
constexpr size_t kStackSize = 16384;
constexpr long kPollNanoseconds = 20000;

struct Handover {
  const FilterProgram* program;
  uint64_t flags;
  volatile long result;     // of seccomp(2): the listener, or a negative errno
  volatile bool held;       // init is inside a call that lasts until the messenger is done
  volatile bool delivered;  // the runtime has passed the listener on
};

Handover handover;
alignas(16) char loader_stack[kStackSize];
alignas(16) char messenger_stack[kStackSize];

inline void relax() {
#if defined(__x86_64__)
  asm volatile("pause" ::: "memory");
#elif defined(__aarch64__)
  asm volatile("yield" ::: "memory");
#endif
}

// Starts a task in entry, which must not return.
long spawn(uint64_t flags, uint64_t exit_signal, char* stack, void (*entry)()) {
  struct clone_args how = {};
  how.flags = flags;
  how.exit_signal = exit_signal;
  how.stack = reinterpret_cast<uint64_t>(stack);
  how.stack_size = kStackSize;
#if defined(__x86_64__)
  register long result asm("rax") = __NR_clone3;
  register void* entry_register asm("r12") = reinterpret_cast<void*>(entry);
  asm volatile(
      "syscall\n"
      "test %%rax, %%rax\n"
      "jnz 1f\n"
      "xor %%ebp, %%ebp\n"
      "call *%%r12\n"
      "ud2\n"
      "1:\n"
      : "+r"(result)
      : "D"(&how), "S"(sizeof(how)), "r"(entry_register)
      : "rcx", "r11", "memory", "cc");
  return result;
#elif defined(__aarch64__)
  register long x8 asm("x8") = __NR_clone3;
  register long x0 asm("x0") = reinterpret_cast<long>(&how);
  register long x1 asm("x1") = sizeof(how);
  register void* x20 asm("x20") = reinterpret_cast<void*>(entry);
  asm volatile(
      "svc 0\n"
      "cbnz x0, 1f\n"
      "mov x29, #0\n"
      "blr x20\n"
      "brk #1\n"
      "1:\n"
      : "+r"(x0)
      : "r"(x8), "r"(x1), "r"(x20)
      : "memory", "cc", "x30");
  return x0;
#endif
}

[[noreturn]] void load() {
  // The loop below must never keep the messenger or the runtime off the CPU, whatever scheduling policy init has.
  struct {
    int priority;
  } parameters = {0};
  sys(__NR_sched_setscheduler, 0, SCHED_IDLE, &parameters);
  while (!handover.held) relax();
  long result = sys(__NR_seccomp, kSetModeFilter, handover.flags, handover.program);
  handover.result = result;
  if (result < 0) sys(__NR_exit, 0);
  for (;;) relax();
}

bool receive_go_ahead() {
  Message reply;
  long got;
  do {
    got = sys(__NR_read, ctx.report_fd, &reply, sizeof(reply));
  } while (got == -EINTR);
  return got >= static_cast<long>(sizeof(uint32_t)) && reply.type == kContinue;
}

[[noreturn]] void deliver() {
  sys(__NR_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  handover.held = true;
  struct __kernel_timespec pause = {0, kPollNanoseconds};
  while (handover.result == kPending) sys(__NR_nanosleep, &pause, nullptr);
  if (handover.result >= 0 && send(kDescriptor, 0, 0, static_cast<int>(handover.result)) >= 0) {
    handover.delivered = receive_go_ahead();
  }
  sys(__NR_exit, 0);
  __builtin_trap();
}

// From now on the kernel reaps children by itself; execve undoes that (flush_signal_handlers).
void reap_by_itself() {
  struct {  // struct sigaction of the kernel
    uint64_t handler = 0, flags = SA_NOCLDWAIT, restorer = 0, mask = 0;
  } action;
  sys(__NR_rt_sigaction, SIGCHLD, &action, nullptr, sizeof(action.mask));
}

}  // namespace

int load_with_listener(const FilterProgram& program, uint64_t flags) {
  handover.program = &program;
  handover.flags = flags;
  handover.result = kPending;
  reap_by_itself();
  constexpr uint64_t kThread = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM;
  long loader = spawn(kThread, 0, loader_stack, load);
  if (loader < 0) return fail(loader, "clone");
  long messenger = spawn(CLONE_VM | CLONE_FILES | CLONE_VFORK, SIGCHLD, messenger_stack, deliver);
  if (messenger < 0) return fail(messenger, "clone");
  if (handover.result < 0) return static_cast<int>(handover.result);
  ctx.filtered = true;
  // The runtime is gone or could not reach the agent, so nobody would ever answer. No call is sure to work that could
  // report this.
  if (!handover.delivered) __builtin_trap();
  return 0;
}

}  // namespace tsrun
