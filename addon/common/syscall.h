// Raw Linux system calls for code that must not use libc: between clone3 and execveat, and in tsrun-init, which is
// linked without it. All return the kernel's value: a negative errno on failure.
#pragma once
#include <asm/unistd.h>

#include <cstddef>
#include <cstdint>

namespace tsrun {

#if defined(__x86_64__)
inline long sys6(long number, long a, long b, long c, long d, long e, long f) {
  long result;
  register long r10 asm("r10") = d;
  register long r8 asm("r8") = e;
  register long r9 asm("r9") = f;
  asm volatile("syscall"
               : "=a"(result)
               : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
               : "rcx", "r11", "memory");
  return result;
}
#elif defined(__aarch64__)
inline long sys6(long number, long a, long b, long c, long d, long e, long f) {
  register long x8 asm("x8") = number;
  register long x0 asm("x0") = a;
  register long x1 asm("x1") = b;
  register long x2 asm("x2") = c;
  register long x3 asm("x3") = d;
  register long x4 asm("x4") = e;
  register long x5 asm("x5") = f;
  asm volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory", "cc");
  return x0;
}
#else
#error "tsrun-init has no system call stub for this architecture yet (addon/common/syscall.h)"
#endif

inline long arg(long value) { return value; }
inline long arg(const volatile void* pointer) { return reinterpret_cast<long>(pointer); }
inline long arg(std::nullptr_t) { return 0; }

template <typename A = long, typename B = long, typename C = long, typename D = long, typename E = long,
          typename F = long>
inline long sys(long number, A a = 0, B b = 0, C c = 0, D d = 0, E e = 0, F f = 0) {
  return sys6(number, arg(a), arg(b), arg(c), arg(d), arg(e), arg(f));
}

}  // namespace tsrun
