// Hooks that run inside the container's namespaces: createContainer before pivot-root, startContainer before execve.
#include <linux/poll.h>
#include <linux/sched.h>
#include <linux/signal.h>
#include <linux/time.h>

#include "../common/message.h"
#include "listener.h"
#include "mount_api.h"
#include "ops.h"

namespace tsrun {

namespace {

constexpr int kCloexec = 02000000, kNonblock = 04000;
constexpr int kChildExited = 1, kPidfd = 3;  // CLD_EXITED, P_PIDFD
constexpr int kWaitExited = 4;               // WEXITED

struct PollFd {
  int fd;
  short events;
  short revents;
};

struct SigInfo {  // the fields of siginfo_t that waitid fills in
  int signo, error, code, padding;
  int pid, uid, status;
  char rest[100];
};

// The last bytes of a hook's output, for the error message.
class Tail {
 public:
  void add(const char* bytes, size_t size) {
    for (size_t i = 0; i < size; i++) bytes_[(total_++) % sizeof(bytes_)] = bytes[i];
  }
  void write_to(char* text, size_t size) const {
    size_t kept = total_ < sizeof(bytes_) ? total_ : sizeof(bytes_);
    if (kept > size - 1) kept = size - 1;
    for (size_t i = 0; i < kept; i++) {
      char c = bytes_[(total_ - kept + i) % sizeof(bytes_)];
      text[i] = c == 0 ? ' ' : c;
    }
    text[kept] = 0;
  }

 private:
  char bytes_[480];
  size_t total_ = 0;
};

uint64_t now_ms() {
  struct __kernel_timespec time = {};
  sys(__NR_clock_gettime, CLOCK_MONOTONIC, &time);
  return static_cast<uint64_t>(time.tv_sec) * 1000 + static_cast<uint64_t>(time.tv_nsec) / 1000000;
}

// A copy of the state for this hook, which may seek in it and write to it as it likes.
long copy_of_state(int state_fd) {
  Fd copy_fd(sys(__NR_memfd_create, "state", 1 /* MFD_CLOEXEC */));
  if (!copy_fd.ok()) return copy_fd.error();
  char buffer[4096];
  long offset = 0;
  for (;;) {
    long got = sys(__NR_pread64, state_fd, buffer, sizeof(buffer), offset);
    if (got < 0) return got;
    if (got == 0) break;
    long put = sys(__NR_write, copy_fd.get(), buffer, got);
    if (put != got) return put < 0 ? put : -EIO;
    offset += got;
  }
  sys(__NR_lseek, copy_fd.get(), 0, 0);
  return copy_fd.release();
}

const char** vector(List list, const char** at) {
  const char** start = at;
  for (uint32_t i = 0; i < list.count; i++) *at++ = text(strings(list)[i]);
  *at = nullptr;
  return start;
}

// Room for the vectors of execve: arguments, environment, HOME, and the end of each.
const char** vectors(const RunContainerHookOp& op) {
  return static_cast<const char**>(map_pages((op.args.count + op.env.count + 3) * sizeof(char*)));
}

// Whether the hook gets the process's HOME, which init has taken from the container's passwd.
bool gets_home(const RunContainerHookOp& op) {
  return ctx.has_home && text(op.inherits) != nullptr && equal(text(op.inherits), "process");
}

[[noreturn]] void become_hook(const RunContainerHookOp& op, int stdin_fd, int output_fd, int error_fd,
                              const char** pointers) {
  // A process group of its own, so that a timeout can kill all that the hook has started.
  sys(__NR_setpgid, 0, 0);
  long placed = sys(__NR_dup3, stdin_fd, 0, 0);
  if (placed >= 0) placed = sys(__NR_dup3, output_fd, 1, 0);
  if (placed >= 0) placed = sys(__NR_dup3, output_fd, 2, 0);
  if (placed >= 0) placed = sys(__NR_close_range, 3, ~0u, 4 /* CLOSE_RANGE_CLOEXEC */);
  const char** arguments = vector(op.args, pointers);
  const char** environment = vector(op.env, pointers + op.args.count + 1);
  if (gets_home(op)) {
    environment[op.env.count] = ctx.home;
    environment[op.env.count + 1] = nullptr;
  }
  // The filter comes last, as for the program, so that execve is the one call it has to allow.
  int error = placed < 0 ? static_cast<int>(placed) : load_hook_filter();
  if (error == 0) error = static_cast<int>(sys(__NR_execve, text(op.path), arguments, environment));
  sys(__NR_write, error_fd, &error, sizeof(error));
  quit(127);
}

void drain(int output_fd, Tail* tail) {
  char buffer[1024];
  for (;;) {
    long got = sys(__NR_read, output_fd, buffer, sizeof(buffer));
    if (got <= 0) return;
    tail->add(buffer, static_cast<size_t>(got));
  }
}

// Waits for the process and reads its output meanwhile, so that it never blocks on a full pipe. False if its time is
// up.
bool wait_until_done(int pidfd, int output_fd, uint64_t timeout_seconds, Tail* tail) {
  uint64_t deadline = now_ms() + timeout_seconds * 1000;
  PollFd fds[2] = {{pidfd, POLLIN, 0}, {output_fd, POLLIN, 0}};
  for (;;) {
    uint64_t now = now_ms();
    if (timeout_seconds != 0 && now >= deadline) return false;
    uint64_t left = timeout_seconds == 0 ? 3600000 : deadline - now;
    struct __kernel_timespec time = {static_cast<long long>(left / 1000),
                                     static_cast<long long>(left % 1000) * 1000000};
    sys(__NR_ppoll, fds, 2, &time, nullptr, 8);
    drain(output_fd, tail);
    if (fds[1].revents & (POLLHUP | POLLERR)) fds[1].fd = -1;  // closed its output; keep waiting for its end
    if (fds[0].revents != 0) return true;
  }
}

int report(HookEnd end, int code, const Tail& tail) {
  ctx.value = hook_value(end, static_cast<uint32_t>(code));
  tail.write_to(ctx.detail, sizeof(ctx.detail));
  return -ECANCELED;
}

int judge(long pid, int pidfd, int error_fd, bool done, const Tail& tail) {
  if (!done) sys(__NR_kill, -pid, SIGKILL);
  SigInfo info = {};
  long reaped;
  do {
    reaped = sys(__NR_waitid, kPidfd, pidfd, &info, kWaitExited, nullptr);
  } while (reaped == -EINTR);
  if (reaped < 0) return fail(reaped, "waitid");
  int exec_error = 0;
  if (sys(__NR_read, error_fd, &exec_error, sizeof(exec_error)) == sizeof(exec_error)) {
    return report(kHookNotStarted, -exec_error, tail);
  }
  if (!done) return report(kHookTimedOut, 0, tail);
  if (info.code != kChildExited) return report(kHookSignalled, info.status, tail);
  return info.status == 0 ? 0 : report(kHookExited, info.status, tail);
}

}  // namespace

int run(const RunContainerHookOp& op) {
  Fd state(copy_of_state(static_cast<int>(op.state)));
  if (!state.ok()) return fail(state.error(), "state");
  int output[2], error[2];
  long result = sys(__NR_pipe2, output, kCloexec | kNonblock);
  if (result < 0) return static_cast<int>(result);
  Fd output_read(output[0]), output_write(output[1]);
  result = sys(__NR_pipe2, error, kCloexec);
  if (result < 0) return static_cast<int>(result);
  Fd error_read(error[0]), error_write(error[1]);
  // Only the reading end may be non-blocking: a hook that writes much must wait, not lose output.
  result = sys(__NR_fcntl, output[1], F_SETFL, 0);
  if (result < 0) return static_cast<int>(result);
  const char** pointers = vectors(op);
  if (pointers == nullptr) return -ENOMEM;
  int pidfd = -1;
  struct clone_args how = {};
  how.flags = CLONE_PIDFD;
  how.pidfd = reinterpret_cast<uint64_t>(&pidfd);
  how.exit_signal = SIGCHLD;
  long pid = sys(__NR_clone3, &how, sizeof(how));
  if (pid < 0) return static_cast<int>(pid);
  if (pid == 0) become_hook(op, state.get(), output[1], error[1], pointers);
  Fd process(pidfd);
  output_write.reset(-1);
  error_write.reset(-1);
  Tail tail;
  bool done = wait_until_done(pidfd, output[0], op.timeout_seconds, &tail);
  return judge(pid, pidfd, error[0], done, tail);
}

}  // namespace tsrun
