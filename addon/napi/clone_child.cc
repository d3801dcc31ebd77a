#include "clone_child.h"

#include <asm/unistd.h>

namespace tsrun {

long clone_child(struct clone_args* how, void (*entry)(void*), void* data) {
#if defined(__x86_64__)
  register long result asm("rax") = __NR_clone3;
  register void* entry_register asm("r12") = reinterpret_cast<void*>(entry);
  register void* data_register asm("r13") = data;
  asm volatile(
      "syscall\n"
      "test %%rax, %%rax\n"
      "jnz 1f\n"
      "xor %%ebp, %%ebp\n"
      "mov %%r13, %%rdi\n"
      "call *%%r12\n"
      "mov $1, %%edi\n"
      "mov %[exit], %%eax\n"
      "syscall\n"
      "1:\n"
      : "+r"(result)
      : "D"(how), "S"(sizeof(*how)), "r"(entry_register), "r"(data_register), [exit] "i"(__NR_exit)
      : "rcx", "r11", "memory", "cc");
  return result;
#elif defined(__aarch64__)
  register long x8 asm("x8") = __NR_clone3;
  register long x0 asm("x0") = reinterpret_cast<long>(how);
  register long x1 asm("x1") = sizeof(*how);
  register void* x20 asm("x20") = reinterpret_cast<void*>(entry);
  register void* x21 asm("x21") = data;
  asm volatile(
      "svc 0\n"
      "cbnz x0, 1f\n"
      "mov x29, #0\n"
      "mov x0, x21\n"
      "blr x20\n"
      "mov x0, #1\n"
      "mov x8, %[exit]\n"
      "svc 0\n"
      "1:\n"
      : "+r"(x0)
      : "r"(x8), "r"(x1), "r"(x20), "r"(x21), [exit] "i"(__NR_exit)
      : "memory", "cc", "x30");
  return x0;
#endif
}

}  // namespace tsrun
