// Starts a child that shares this process's memory, so that no page tables are copied: of Node that takes longer than
// the rest of a clone. The child may only make system calls (sys in common/syscall.h) until it leaves this memory by
// execveat or exit, because other threads run JS, and it has the calling thread's TLS.
#pragma once
#include <linux/sched.h>
#include <pthread.h>
#include <sys/mman.h>

#include <csignal>
#include <cstddef>
#include <cstdint>

namespace tsrun {

// The child's stack.
class ChildStack {
 public:
  static constexpr size_t kSize = 64 * 1024;

  ChildStack() : base_(mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0)) {}
  ~ChildStack() {
    if (ok()) munmap(base_, kSize);
  }
  bool ok() const { return base_ != MAP_FAILED; }
  uint64_t base() const { return reinterpret_cast<uint64_t>(base_); }

 private:
  void* base_;
};

// No signal handler of Node may run in the child, which shares Node's memory, nor in the thread that waits for it.
class BlockSignals {
 public:
  BlockSignals() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~BlockSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_;
};

// clone3 with CLONE_VM and a ChildStack; the child calls entry, and exits with 1 if that returns. 0 < the child's pid,
// or a negative errno.
long clone_child(struct clone_args* how, void (*entry)(void*), void* data);

}  // namespace tsrun
