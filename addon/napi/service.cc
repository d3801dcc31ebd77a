// A program of the host that a command talks to over a socket while it works: criu(8).
#include <fcntl.h>
#include <linux/sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "../common/syscall.h"
#include "../generated/functions.h"
#include "program.h"

namespace tsrun {

namespace {

struct Service {
  const char* program;
  char** args;
  const std::vector<int>& inherit;
  // What it writes goes here; stdin is the caller's or /dev/null (-1).
  int output;
  int input;
  // A directory that is made a mount point in a mount namespace of the service's own, or nullptr.
  const char* root;
  // A directory that is covered by an empty tmpfs there, or nullptr.
  const char* empty;
  bool own_group;
  // What its children inherit; -1 leaves it.
  int persona;
  int memory_mode;
  const uint64_t* memory_nodes;
  size_t memory_words;
};

// What failed in the child before execve; comes through the pipe.
struct Failure {
  int error;
  int step;
};
enum Step : int { kUnshare, kMount, kMountEmpty, kDup3, kPersonality, kMemoryPolicy, kExecve };
constexpr const char* kSteps[] = {"unshare", "mount", "mount", "dup3", "personality", "set_mempolicy", "execve"};
constexpr size_t kWordBits = 64;

int set_attributes(const Service& service, int* step) {
  if (service.persona >= 0) {
    *step = kPersonality;
    long before = sys(__NR_personality, service.persona);
    if (before < 0) return static_cast<int>(-before);
  }
  if (service.memory_mode < 0) return 0;
  *step = kMemoryPolicy;
  // The kernel uses one bit less than this number.
  uint64_t bits = service.memory_words == 0 ? 0 : service.memory_words * kWordBits + 1;
  const uint64_t* nodes = service.memory_words == 0 ? nullptr : service.memory_nodes;
  long set = sys(__NR_set_mempolicy, service.memory_mode, nodes, bits);
  return set < 0 ? static_cast<int>(-set) : 0;
}

// Read-only is the mount and not the filesystem, as with the masks that init makes: what is bound from it looks the
// same.
int cover(const char* directory) {
  constexpr unsigned long kFlags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
  long mounted = sys(__NR_mount, "tmpfs", directory, "tmpfs", kFlags, nullptr);
  if (mounted < 0) return static_cast<int>(-mounted);
  long closed = sys(__NR_mount, nullptr, directory, nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY | kFlags, nullptr);
  return closed < 0 ? static_cast<int>(-closed) : 0;
}

// Only makes system calls, because the JS process has other threads. The mount namespace goes with its last process, so
// the bind mount needs no undoing.
int prepare(const Service& service, int* step) {
  *step = kUnshare;
  if (service.own_group) sys(__NR_setpgid, 0, 0);
  if (service.root != nullptr) {
    long made = sys(__NR_unshare, CLONE_NEWNS);
    if (made < 0) return static_cast<int>(-made);
    *step = kMount;
    // Later mounts of the host arrive here; none goes back.
    long slave = sys(__NR_mount, nullptr, "/", nullptr, MS_SLAVE | MS_REC, nullptr);
    if (slave < 0) return static_cast<int>(-slave);
    long bound = sys(__NR_mount, service.root, service.root, nullptr, MS_BIND | MS_REC, nullptr);
    if (bound < 0) return static_cast<int>(-bound);
    *step = kMountEmpty;
    int error = service.empty == nullptr ? 0 : cover(service.empty);
    if (error != 0) return error;
  }
  *step = kDup3;
  const int wanted[3] = {service.input, service.output, service.output};
  for (int to = 0; to < 3; to++) {
    if (wanted[to] == to) continue;
    long placed = sys(__NR_dup3, wanted[to], to, 0);
    if (placed < 0) return static_cast<int>(-placed);
  }
  for (int fd : service.inherit) {
    if (fd > 2 && sys(__NR_fcntl, fd, F_SETFD, 0) < 0) return EBADF;
  }
  return set_attributes(service, step);
}

[[noreturn]] void become(const Service& service, int report) {
  Failure failure = {};
  failure.error = prepare(service, &failure.step);
  if (failure.error == 0) {
    // The state that a new program expects.
    struct {
      void* handler;
      unsigned long flags;
      void* restorer;
      unsigned long mask;
    } action = {};
    for (int signal = 1; signal < 65; signal++) sys(__NR_rt_sigaction, signal, &action, nullptr, sizeof(unsigned long));
    unsigned long none = 0;
    sys(__NR_rt_sigprocmask, SIG_SETMASK, &none, nullptr, sizeof(none));
    failure.step = kExecve;
    long result = sys(__NR_execve, service.program, service.args, environ);
    failure.error = static_cast<int>(-result);
  }
  sys(__NR_write, report, &failure, sizeof(failure));
  for (;;) sys(__NR_exit_group, 127);
}

}  // namespace

Napi::Value js_start_service(const Napi::CallbackInfo& info) {
  StartServiceArguments arguments(info);
  Napi::Env env = info.Env();
  ServiceOptions& options = arguments.options;
  std::string program = find_program(options.args[0]);
  if (program.empty()) return throw_errno(env, ENOENT, "spawn", options.args[0]);
  std::vector<char*> argv = pointers(options.args);
  UniqueFd nothing(open("/dev/null", O_RDONLY | O_CLOEXEC));
  Service service = {program.c_str(),
                     argv.data(),
                     options.inherit,
                     options.output,
                     options.input < 0 ? nothing.get() : options.input,
                     options.root.empty() ? nullptr : options.root.c_str(),
                     options.empty.empty() ? nullptr : options.empty.c_str(),
                     options.own_group,
                     options.persona,
                     options.memory_mode,
                     options.memory_nodes.Data(),
                     options.memory_nodes.ElementLength()};
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return throw_errno(env, errno, "pipe2");
  UniqueFd read_end(ends[0]), write_end(ends[1]);
  int pidfd = -1;
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  clone_args clone = {};
  clone.flags = CLONE_PIDFD;
  clone.pidfd = reinterpret_cast<uint64_t>(&pidfd);
  clone.exit_signal = SIGCHLD;
  long pid = sys(__NR_clone3, &clone, sizeof(clone));
  if (pid == 0) become(service, ends[1]);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (pid < 0) return throw_errno(env, static_cast<int>(-pid), "clone3");
  UniqueFd held(pidfd);
  write_end.reset(-1);
  Failure failure = {};
  ssize_t got;
  while ((got = read(ends[0], &failure, sizeof(failure))) < 0 && errno == EINTR) continue;
  if (got == sizeof(failure)) {
    while (waitpid(static_cast<pid_t>(pid), nullptr, 0) < 0 && errno == EINTR) continue;
    const std::string& about = failure.step == kMount        ? options.root
                               : failure.step == kMountEmpty ? options.empty
                                                             : program;
    return throw_errno(env, failure.error, kSteps[failure.step], about);
  }
  Spawned spawned = {static_cast<double>(pid), static_cast<double>(held.release())};
  return spawned.to_js(env);
}

Napi::Value js_duplicate(const Napi::CallbackInfo& info) {
  DuplicateArguments arguments(info);
  int fd = fcntl(arguments.fd, F_DUPFD_CLOEXEC, 3);
  if (fd < 0) return throw_errno(info.Env(), errno, "fcntl");
  return Napi::Number::New(info.Env(), fd);
}

}  // namespace tsrun
