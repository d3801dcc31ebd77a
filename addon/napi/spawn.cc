// Starts tsrun-init: a sealed memfd with its bytes, so that /proc/PID/exe leads to no file of the host (CVE-2019-5736),
// then clone3 and execveat.
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <memory>
#include <vector>

#include "../common/interrupts.h"
#include "../common/syscall.h"
#include "../generated/functions.h"
#include "clone_child.h"
#include "sealed_image.h"

extern "C" const char tsrun_init_image[];
extern "C" const char tsrun_init_image_end[];

namespace tsrun {

namespace {

constexpr int kKillEveryMs = 5;

int init_memfd() {
  return sealed_image("tsrun-init", tsrun_init_image, static_cast<size_t>(tsrun_init_image_end - tsrun_init_image));
}

// Everything the child needs, made before the clone: between clone3 and execveat nothing may allocate or lock, because
// the JS process has other threads.
struct Child {
  int image_fd;
  int preserve_fds;
  // The child's descriptors from 0 on, and room for copies of them; if there are none, it keeps the caller's.
  const int* descriptors;
  int* copies;
  int descriptor_count;
  const int* inherit;
  size_t inherit_count;
  char* const* arguments;
  // The cgroup that the child moves to itself; -1: it is there already.
  int cgroup_fd;
  volatile bool began;
  volatile long error;
  // What the error is of.
  const char* volatile step;
};

// First copies them above all of them, because the number of one may be the place of another.
long place_descriptors(Child* child) {
  int count = child->descriptor_count;
  for (int i = 0; i < count; i++) {
    long copy = sys(__NR_fcntl, child->descriptors[i], F_DUPFD_CLOEXEC, count);
    if (copy < 0) return copy;
    child->copies[i] = static_cast<int>(copy);
  }
  for (int i = 0; i < count; i++) {
    long placed = sys(__NR_dup3, child->copies[i], i, 0);
    if (placed < 0) return placed;
  }
  return 0;
}

long move_to_cgroup(int cgroup_fd) {
  long fd = sys(__NR_openat, cgroup_fd, "cgroup.procs", O_WRONLY | O_CLOEXEC, 0);
  if (fd < 0) return fd;
  long written = sys(__NR_write, fd, "0", 1);
  sys(__NR_close, fd);
  return written < 0 ? written : 0;
}

void run_child(void* data) {
  Child* child = static_cast<Child*>(data);
  child->began = true;
  child->step = "cgroup.procs";
  if (child->cgroup_fd >= 0) child->error = move_to_cgroup(child->cgroup_fd);
  if (child->error < 0) return;
  child->step = "execveat";
  child->error = place_descriptors(child);
  if (child->error < 0) return;
  // Node marks stdio, and more of what it inherits, close-on-exec.
  for (int fd = 0; fd < 3 + child->preserve_fds; fd++) sys(__NR_fcntl, fd, F_SETFD, 0);
  sys(__NR_close_range, 3 + child->preserve_fds, ~0u, CLOSE_RANGE_CLOEXEC);
  for (size_t i = 0; i < child->inherit_count; i++) sys(__NR_fcntl, child->inherit[i], F_SETFD, 0);
  const char* environment[] = {nullptr};
  child->error = sys(__NR_execveat, child->image_fd, "", child->arguments, environment, AT_EMPTY_PATH);
}

// A clone under way, with all that it needs until the child leaves this memory.
struct Spawn {
  UniqueFd image;
  int image_error = 0;
  ChildStack stack;
  std::vector<int> inherit;
  std::vector<int> descriptors, copies;
  char name[sizeof("tsrun-init")] = "tsrun-init";
  char sync_text[16], plan_text[16];
  char* arguments[4] = {name, sync_text, plan_text, nullptr};
  struct clone_args how = {};
  Child child = {};
  int pidfd = -1;
  long pid = 0;
  pthread_t thread = {};
  bool threaded = false;
  // Readable once the thread is done. For the library, which can be told to give up where a command would end.
  UniqueFd done;
};

// A child that is made in a frozen cgroup does not reach execveat before the cgroup is thawed or the child killed.
bool await_thread(Spawn* spawn) {
  bool goes_on = spawn->done.get() < 0 || waits_for(spawn->done.get());
  pollfd done = {spawn->done.get(), POLLIN, 0};
  while (!goes_on && poll(&done, 1, kKillEveryMs) <= 0) {
    // The kernel writes it before the child runs.
    int pidfd = *const_cast<volatile int*>(&spawn->pidfd);
    if (pidfd >= 0) sys(__NR_pidfd_send_signal, pidfd, SIGKILL, nullptr, 0);
  }
  pthread_join(spawn->thread, nullptr);
  return goes_on;
}

// A thread that runs JS starts only one at a time.
thread_local std::unique_ptr<Spawn> under_way;

// Whether placing the child's descriptors would overwrite those that init needs. Mostly not: an engine has more of them
// open.
bool overwrites(const Spawn& spawn) {
  int count = spawn.child.descriptor_count;
  if (count > 0 && spawn.image.get() < count) return true;
  for (int fd : spawn.inherit) {
    if (fd < count) return true;
  }
  return false;
}

// Linux 6.18 counts the writes to a cgroup's cgroup.kill, and takes a child of CLONE_INTO_CGROUP for one that was made
// during such a write if its cgroup has another count than its parent's has. So if either was ever killed, the child
// dies before it has run; then it is made here and moves itself.
void clone_into_cgroup(Spawn* spawn) {
  spawn->pid = clone_child(&spawn->how, run_child, &spawn->child);
  if (spawn->pid < 0 || spawn->child.began || (spawn->how.flags & CLONE_INTO_CGROUP) == 0) return;
  sys(__NR_wait4, spawn->pid, nullptr, 0, nullptr);
  UniqueFd dead(spawn->pidfd);
  spawn->pidfd = -1;
  spawn->how.flags &= ~static_cast<uint64_t>(CLONE_INTO_CGROUP);
  spawn->child.cgroup_fd = static_cast<int>(spawn->how.cgroup);
  spawn->pid = clone_child(&spawn->how, run_child, &spawn->child);
}

void* run_spawn(void* data) {
  Spawn* spawn = static_cast<Spawn*>(data);
  spawn->image.reset(init_memfd());
  spawn->child.image_fd = spawn->image.get();
  if (spawn->image.get() < 0) {
    spawn->image_error = errno;
  } else if (overwrites(*spawn)) {
    spawn->image_error = EBUSY;
  } else {
    clone_into_cgroup(spawn);
  }
  if (spawn->done.get() >= 0) eventfd_write(spawn->done.get(), 1);
  return nullptr;
}

// CLONE_VFORK stops the calling thread until the child has memory of its own, some hundred microseconds. In a thread of
// its own, the JS goes on meanwhile; if there can be no thread, only that time is lost.
void begin(Spawn* spawn) {
  if (has_own_interrupts()) spawn->done.reset(eventfd(0, EFD_CLOEXEC));
  BlockSignals blocked;
  spawn->threaded = pthread_create(&spawn->thread, nullptr, run_spawn, spawn) == 0;
  if (!spawn->threaded) run_spawn(spawn);
}

}  // namespace

Napi::Value js_start_init(const Napi::CallbackInfo& info) {
  StartInitArguments arguments(info);
  Napi::Env env = info.Env();
  SpawnOptions& options = arguments.options;
  auto spawn = std::make_unique<Spawn>();
  spawn->inherit = std::move(options.inherit);
  snprintf(spawn->sync_text, sizeof(spawn->sync_text), "%d", options.sync_fd);
  snprintf(spawn->plan_text, sizeof(spawn->plan_text), "%d", options.plan_fd);
  if (!spawn->stack.ok()) return throw_errno(env, errno, "mmap");

  struct clone_args& how = spawn->how;
  how.flags = static_cast<uint64_t>(options.flags) | CLONE_VM | CLONE_VFORK | CLONE_PIDFD;
  how.pidfd = reinterpret_cast<uint64_t>(&spawn->pidfd);
  how.exit_signal = SIGCHLD;
  how.stack = spawn->stack.base();
  how.stack_size = ChildStack::kSize;
  if (options.cgroup_fd >= 0) {
    how.flags |= CLONE_INTO_CGROUP;
    how.cgroup = static_cast<uint64_t>(options.cgroup_fd);
  }
  Child& child = spawn->child;
  child.cgroup_fd = -1;
  child.preserve_fds = options.preserve_fds;
  spawn->descriptors = std::move(options.descriptors);
  spawn->copies.resize(spawn->descriptors.size());
  child.descriptors = spawn->descriptors.data();
  child.copies = spawn->copies.data();
  child.descriptor_count = static_cast<int>(spawn->descriptors.size());
  child.inherit = spawn->inherit.data();
  child.inherit_count = spawn->inherit.size();
  child.arguments = spawn->arguments;
  begin(spawn.get());
  under_way = std::move(spawn);
  return env.Undefined();
}

Napi::Value js_await_init(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  std::unique_ptr<Spawn> spawn = std::move(under_way);
  bool goes_on = !spawn->threaded || await_thread(spawn.get());
  if (spawn->image_error != 0) return throw_errno(env, spawn->image_error, "memfd_create");
  if (spawn->pid < 0) return throw_errno(env, static_cast<int>(-spawn->pid), "clone3");
  if (!goes_on) {
    sys(__NR_pidfd_send_signal, spawn->pidfd, SIGKILL, nullptr, 0);
    sys(__NR_wait4, spawn->pid, nullptr, 0, nullptr);
    close(spawn->pidfd);
    return throw_errno(env, EINTR, "clone3");
  }
  if (spawn->child.error < 0) {
    sys(__NR_wait4, spawn->pid, nullptr, 0, nullptr);
    close(spawn->pidfd);
    return throw_errno(env, static_cast<int>(-spawn->child.error), spawn->child.step);
  }
  Spawned spawned = {static_cast<double>(spawn->pid), static_cast<double>(spawn->pidfd)};
  return spawned.to_js(env);
}

}  // namespace tsrun
