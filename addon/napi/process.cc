// Processes, always by pidfd: a pid may belong to another process by the time it is used.
#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "../common/foreground.h"
#include "../common/interrupts.h"
#include "../common/syscall.h"
#include "../generated/functions.h"

namespace tsrun {

namespace {

constexpr int kLockEveryMs = 10;

// poll(2) that goes on after a signal. The timeout then begins anew, which no caller minds.
int poll_again(pollfd* fds, nfds_t count, int timeout_ms) {
  int ready;
  do {
    ready = poll(fds, count, timeout_ms);
  } while (ready < 0 && errno == EINTR);
  return ready;
}

int lock_again(int fd, bool wait) {
  int result;
  do {
    result = flock(fd, LOCK_EX | (wait ? 0 : LOCK_NB));
  } while (result != 0 && errno == EINTR);
  return result;
}

// A wait that an interrupt ends. A lock is nothing to poll for, so it is tried again and again.
int lock_or_interrupt(int fd) {
  while (lock_again(fd, false) != 0) {
    if (errno != EWOULDBLOCK) return -1;
    pollfd interrupt = {interrupt_fd(), POLLIN, 0};
    if (poll(&interrupt, 1, kLockEveryMs) <= 0) continue;
    note_interrupt();
    errno = EINTR;
    return -1;
  }
  return 0;
}

Napi::Value exit_status(Napi::Env env, bool exited, int number) {
  ExitStatus status;
  (exited ? status.code : status.signal) = number;
  return status.to_js(env);
}

Napi::Value reap_pidfd(Napi::Env env, int pidfd) {
  siginfo_t status = {};
  int result;
  do {
    result = waitid(P_PIDFD, static_cast<id_t>(pidfd), &status, WEXITED);
  } while (result != 0 && errno == EINTR);
  if (result != 0) return throw_errno(env, errno, "waitid");
  return exit_status(env, status.si_code == CLD_EXITED, status.si_status);
}

}  // namespace

Napi::Value js_pidfd_open(const Napi::CallbackInfo& info) {
  PidfdOpenArguments arguments(info);
  long fd = sys(__NR_pidfd_open, arguments.pid, 0);
  // EINVAL or ENOENT: a thread has this number, so the process that had it is gone.
  if (fd == -EINVAL || fd == -ENOENT) fd = -ESRCH;
  if (fd < 0) return throw_errno(info.Env(), static_cast<int>(-fd), "pidfd_open");
  return Napi::Number::New(info.Env(), static_cast<double>(fd));
}

Napi::Value js_pidfd_inode(const Napi::CallbackInfo& info) {
  PidfdInodeArguments arguments(info);
  constexpr unsigned long kPidfs = 0x50494446;
  struct statfs filesystem = {};
  struct stat status = {};
  int pidfd = arguments.pidfd;
  if (fstatfs(pidfd, &filesystem) != 0) return throw_errno(info.Env(), errno, "fstatfs");
  if (static_cast<unsigned long>(filesystem.f_type) != kPidfs) return info.Env().Null();
  if (fstat(pidfd, &status) != 0) return throw_errno(info.Env(), errno, "fstat");
  return Napi::Number::New(info.Env(), static_cast<double>(status.st_ino));
}

Napi::Value js_pidfd_signal(const Napi::CallbackInfo& info) {
  PidfdSignalArguments arguments(info);
  long result = sys(__NR_pidfd_send_signal, arguments.pidfd, arguments.signal, nullptr, 0);
  if (result < 0) return throw_errno(info.Env(), static_cast<int>(-result), "pidfd_send_signal");
  return info.Env().Undefined();
}

Napi::Value js_pidfd_wait(const Napi::CallbackInfo& info) {
  PidfdWaitArguments arguments(info);
  pollfd ended = {arguments.pidfd, POLLIN, 0};
  int ready = poll_again(&ended, 1, arguments.timeout_ms);
  if (ready < 0) return throw_errno(info.Env(), errno, "poll");
  return Napi::Boolean::New(info.Env(), ready > 0);
}

Napi::Value js_is_child(const Napi::CallbackInfo& info) {
  IsChildArguments arguments(info);
  siginfo_t status = {};
  int result = waitid(P_PIDFD, static_cast<id_t>(arguments.pidfd), &status, WEXITED | WNOHANG | WNOWAIT);
  if (result != 0 && errno != ECHILD) return throw_errno(info.Env(), errno, "waitid");
  return Napi::Boolean::New(info.Env(), result == 0);
}

Napi::Value js_reap(const Napi::CallbackInfo& info) {
  ReapArguments arguments(info);
  return reap_pidfd(info.Env(), arguments.pidfd);
}

Napi::Value js_hold_signals(const Napi::CallbackInfo& info) {
  int error = hold_foreground_signals();
  if (error != 0) return throw_errno(info.Env(), error, "pipe2");
  return info.Env().Undefined();
}

Napi::Value js_catch_interrupts(const Napi::CallbackInfo& info) {
  int error = begin_interrupts();
  if (error != 0) return throw_errno(info.Env(), error, "pipe2");
  return info.Env().Undefined();
}

Napi::Value js_settle_interrupts(const Napi::CallbackInfo& info) {
  SettleInterruptsArguments arguments(info);
  settle_interrupts(arguments.restore);
  return info.Env().Undefined();
}

Napi::Value js_interrupted_by(const Napi::CallbackInfo& info) { return Napi::Number::New(info.Env(), interrupted()); }

Napi::Value js_wait_foreground(const Napi::CallbackInfo& info) {
  WaitForegroundArguments arguments(info);
  ForegroundEnd end = {};
  int error = wait_in_foreground(arguments.pidfd, arguments.terminal, &end);
  if (error != 0) return throw_errno(info.Env(), error, "waitid");
  bool exited = end.signal < 0;
  return exit_status(info.Env(), exited, exited ? end.code : end.signal);
}

Napi::Value js_poll_priority(const Napi::CallbackInfo& info) {
  PollPriorityArguments arguments(info);
  std::vector<pollfd> changed;
  for (int fd : arguments.fds) changed.push_back({fd, POLLPRI, 0});
  int ready = poll_again(changed.data(), changed.size(), arguments.timeout_ms);
  if (ready < 0) return throw_errno(info.Env(), errno, "poll");
  return Napi::Boolean::New(info.Env(), ready > 0);
}

Napi::Value js_lock(const Napi::CallbackInfo& info) {
  LockArguments arguments(info);
  bool ends_early = arguments.wait && interrupt_fd() >= 0;
  int result = ends_early ? lock_or_interrupt(arguments.fd) : lock_again(arguments.fd, arguments.wait);
  if (result != 0 && errno != EWOULDBLOCK) return throw_errno(info.Env(), errno, "flock");
  return Napi::Boolean::New(info.Env(), result == 0);
}

Napi::Value js_filesystem_type(const Napi::CallbackInfo& info) {
  FilesystemTypeArguments arguments(info);
  struct statfs status = {};
  const std::string& path = arguments.path;
  if (statfs(path.c_str(), &status) != 0) return throw_errno(info.Env(), errno, "statfs", path);
  return Napi::Number::New(info.Env(), static_cast<double>(static_cast<unsigned long>(status.f_type)));
}

}  // namespace tsrun
