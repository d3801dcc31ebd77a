/*
 * call [--i386] NUMBER [ARGUMENT...]: makes one system call, with numbers as arguments, and prints what the kernel
 * returned: a value, or a negative errno. --i386 makes it as a 32-bit program would (x86_64 only).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static long call(long number, const long* a) {
#if defined(__x86_64__)
  long result;
  register long r10 asm("r10") = a[3];
  register long r8 asm("r8") = a[4];
  register long r9 asm("r9") = a[5];
  asm volatile("syscall"
               : "=a"(result)
               : "a"(number), "D"(a[0]), "S"(a[1]), "d"(a[2]), "r"(r10), "r"(r8), "r"(r9)
               : "rcx", "r11", "memory");
  return result;
#elif defined(__aarch64__)
  register long x8 asm("x8") = number;
  register long x0 asm("x0") = a[0];
  register long x1 asm("x1") = a[1];
  register long x2 asm("x2") = a[2];
  register long x3 asm("x3") = a[3];
  register long x4 asm("x4") = a[4];
  register long x5 asm("x5") = a[5];
  asm volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
  return x0;
#endif
}

static long call_i386(long number, const long* a) {
#if defined(__x86_64__)
  long result;
  asm volatile("int $0x80"
               : "=a"(result)
               : "a"(number), "b"(a[0]), "c"(a[1]), "d"(a[2])
               : "r8", "r9", "r10", "r11", "memory");
  return (int)result;
#else
  (void)number, (void)a;
  return -38;
#endif
}

int main(int argc, char** argv) {
  long arguments[6] = {0};
  int i386 = argc > 1 && strcmp(argv[1], "--i386") == 0;
  argv += i386, argc -= i386;
  if (argc < 2) return 2;
  for (int i = 2; i < argc && i < 8; i++) arguments[i - 2] = (long)strtoull(argv[i], NULL, 0);
  long number = strtol(argv[1], NULL, 0);
  printf("%ld\n", i386 ? call_i386(number, arguments) : call(number, arguments));
  return 0;
}
