#include "harden.h"

#include <elf.h>
#include <linux/mman.h>

#include "base.h"

// From the linker: the start of the file, and its table for a dynamic linker.
extern "C" __attribute__((visibility("hidden"))) const char __ehdr_start[];
extern "C" __attribute__((visibility("hidden"))) const Elf64_Dyn _DYNAMIC[];

extern "C" {
uintptr_t __stack_chk_guard;

// A message could consist of an attacker's words by now.
[[noreturn]] void __stack_chk_fail() { __builtin_trap(); }
}

namespace tsrun {
namespace {

#if defined(__x86_64__)
constexpr uint32_t kRelative = R_X86_64_RELATIVE;
#elif defined(__aarch64__)
constexpr uint32_t kRelative = R_AARCH64_RELATIVE;
#endif

constexpr Elf64_Addr kPage = 4096;

// There are no other relocations: the executable uses no symbol of another file, and is linked with -z text.
__attribute__((no_stack_protector)) void relocate() {
  const Elf64_Addr base = reinterpret_cast<Elf64_Addr>(__ehdr_start);
  Elf64_Addr table = 0, size = 0;
  for (const Elf64_Dyn* at = _DYNAMIC; at->d_tag != DT_NULL; at++) {
    if (at->d_tag == DT_RELA) table = base + at->d_un.d_ptr;
    if (at->d_tag == DT_RELASZ) size = at->d_un.d_val;
  }
  const auto* entries = reinterpret_cast<const Elf64_Rela*>(table);
  for (Elf64_Addr i = 0; i < size / sizeof(Elf64_Rela); i++) {
    if (ELF64_R_TYPE(entries[i].r_info) != kRelative) __builtin_trap();
    *reinterpret_cast<Elf64_Addr*>(base + entries[i].r_offset) = base + static_cast<Elf64_Addr>(entries[i].r_addend);
  }
}

// Makes the relocated data read-only. If the kernel refuses, it stays writable.
__attribute__((no_stack_protector)) void protect_relocated() {
  const Elf64_Addr base = reinterpret_cast<Elf64_Addr>(__ehdr_start);
  const auto* file = reinterpret_cast<const Elf64_Ehdr*>(base);
  const auto* segments = reinterpret_cast<const Elf64_Phdr*>(base + file->e_phoff);
  for (int i = 0; i < file->e_phnum; i++) {
    if (segments[i].p_type != PT_GNU_RELRO) continue;
    Elf64_Addr start = base + segments[i].p_vaddr, end = start + segments[i].p_memsz;
    sys(__NR_mprotect, start & ~(kPage - 1), (end & ~(kPage - 1)) - (start & ~(kPage - 1)), PROT_READ);
  }
}

// As getauxval(3): the kernel's auxiliary vector follows the arguments and the environment.
__attribute__((no_stack_protector)) const void* random_bytes(long* stack) {
  long* at = stack + 1 + stack[0] + 1;
  while (*at != 0) at++;
  for (at++; at[0] != AT_NULL; at += 2) {
    if (at[0] == AT_RANDOM) return reinterpret_cast<const void*>(at[1]);
  }
  return nullptr;
}

}  // namespace

__attribute__((no_stack_protector)) void harden(long* stack) {
  relocate();
  protect_relocated();
  const void* bytes = random_bytes(stack);
  if (bytes == nullptr) return;
  uintptr_t guard;
  __builtin_memcpy(&guard, bytes, sizeof(guard));
  // The byte at the lowest address is zero, as in libc, so that no overflowing string can write the guard.
  __stack_chk_guard = guard & ~static_cast<uintptr_t>(0xff);
}

}  // namespace tsrun
