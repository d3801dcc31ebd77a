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
#include "functions.h"

namespace tsrun {

namespace {

// poll that a signal does not cut short; timeouts are rough then, which no caller minds.
int poll_again(pollfd* fds, nfds_t count, int timeout_ms) {
  int ready;
  do {
    ready = poll(fds, count, timeout_ms);
  } while (ready < 0 && errno == EINTR);
  return ready;
}

// { code } or { signal }
Napi::Value exit_of(Napi::Env env, const siginfo_t& status) {
  Napi::Object result = Napi::Object::New(env);
  result.Set(status.si_code == CLD_EXITED ? "code" : "signal", status.si_status);
  return result;
}

Napi::Value reap_pidfd(Napi::Env env, int pidfd) {
  siginfo_t status = {};
  int result;
  do {
    result = waitid(P_PIDFD, static_cast<id_t>(pidfd), &status, WEXITED);
  } while (result != 0 && errno == EINTR);
  if (result != 0) return throw_errno(env, errno, "waitid");
  return exit_of(env, status);
}

}  // namespace

// pidfdOpen(pid) -> fd
Napi::Value pidfd_open_pid(const Napi::CallbackInfo& info) {
  long fd = sys(__NR_pidfd_open, int_at(info, 0), 0);
  // Of a thread the kernel says EINVAL or ENOENT: the process that had its number is gone.
  if (fd == -EINVAL || fd == -ENOENT) fd = -ESRCH;
  if (fd < 0) return throw_errno(info.Env(), static_cast<int>(-fd), "pidfd_open");
  return Napi::Number::New(info.Env(), static_cast<double>(fd));
}

// pidfdInode(pidfd) -> the process's own number on pidfs (Linux 6.9); null where pidfds have none
Napi::Value pidfd_inode(const Napi::CallbackInfo& info) {
  constexpr unsigned long kPidfs = 0x50494446;
  struct statfs filesystem = {};
  struct stat status = {};
  int pidfd = int_at(info, 0);
  if (fstatfs(pidfd, &filesystem) != 0) return throw_errno(info.Env(), errno, "fstatfs");
  if (static_cast<unsigned long>(filesystem.f_type) != kPidfs) return info.Env().Null();
  if (fstat(pidfd, &status) != 0) return throw_errno(info.Env(), errno, "fstat");
  return Napi::Number::New(info.Env(), static_cast<double>(status.st_ino));
}

// pidfdSignal(pidfd, signal)
Napi::Value pidfd_signal(const Napi::CallbackInfo& info) {
  long result = sys(__NR_pidfd_send_signal, int_at(info, 0), int_at(info, 1), nullptr, 0);
  if (result < 0) return throw_errno(info.Env(), static_cast<int>(-result), "pidfd_send_signal");
  return info.Env().Undefined();
}

// pidfdWait(pidfd, timeoutMs) -> whether the process has ended; -1 waits for ever
Napi::Value pidfd_wait(const Napi::CallbackInfo& info) {
  pollfd ended = {int_at(info, 0), POLLIN, 0};
  int ready = poll_again(&ended, 1, int_at(info, 1));
  if (ready < 0) return throw_errno(info.Env(), errno, "poll");
  return Napi::Boolean::New(info.Env(), ready > 0);
}

// isChild(pidfd) -> whether this process could wait for it
Napi::Value is_child(const Napi::CallbackInfo& info) {
  siginfo_t status = {};
  int result = waitid(P_PIDFD, static_cast<id_t>(int_at(info, 0)), &status, WEXITED | WNOHANG | WNOWAIT);
  if (result != 0 && errno != ECHILD) return throw_errno(info.Env(), errno, "waitid");
  return Napi::Boolean::New(info.Env(), result == 0);
}

// reap(pidfd of a child) -> { code } | { signal }; waits for its end
Napi::Value reap(const Napi::CallbackInfo& info) { return reap_pidfd(info.Env(), int_at(info, 0)); }

// holdSignals(): those that come before waitForeground are for it to pass on
Napi::Value hold_signals(const Napi::CallbackInfo& info) {
  int error = hold_foreground_signals();
  if (error != 0) return throw_errno(info.Env(), error, "pipe2");
  return info.Env().Undefined();
}

// catchInterrupts(): SIGHUP, SIGINT and SIGTERM end the waits of receiveMessage and runHook from now on
Napi::Value catch_interrupts(const Napi::CallbackInfo& info) {
  int error = begin_interrupts();
  if (error != 0) return throw_errno(info.Env(), error, "pipe2");
  return info.Env().Undefined();
}

// settleInterrupts(restore): they end no wait any more; with restore they end the process again
Napi::Value settle_interrupts_now(const Napi::CallbackInfo& info) {
  settle_interrupts(info[0].ToBoolean());
  return info.Env().Undefined();
}

// interruptedBy() -> the first that has come since they are caught; 0 when none has
Napi::Value interrupted_by(const Napi::CallbackInfo& info) { return Napi::Number::New(info.Env(), interrupted()); }

// waitForeground(pidfd of a child, terminal = -1) -> as reap; passes signals on and relays the terminal meanwhile
Napi::Value wait_foreground(const Napi::CallbackInfo& info) {
  ForegroundEnd end = {};
  int error = wait_in_foreground(int_at(info, 0), int_at(info, 1), &end);
  if (error != 0) return throw_errno(info.Env(), error, "waitid");
  Napi::Object result = Napi::Object::New(info.Env());
  if (end.signal < 0) {
    result.Set("code", end.code);
  } else {
    result.Set("signal", end.signal);
  }
  return result;
}

// pollPriority(fds, timeoutMs) -> whether the kernel says that one of the files has changed (cgroup.events and the
// like)
Napi::Value poll_priority(const Napi::CallbackInfo& info) {
  Napi::Array fds = info[0].As<Napi::Array>();
  std::vector<pollfd> changed;
  for (uint32_t i = 0; i < fds.Length(); i++) changed.push_back({fds.Get(i).As<Napi::Number>(), POLLPRI, 0});
  int ready = poll_again(changed.data(), changed.size(), int_at(info, 1));
  if (ready < 0) return throw_errno(info.Env(), errno, "poll");
  return Napi::Boolean::New(info.Env(), ready > 0);
}

// lock(fd, wait) -> whether the exclusive lock was had (flock(2))
Napi::Value lock_file(const Napi::CallbackInfo& info) {
  bool wait = info[1].As<Napi::Boolean>().Value();
  int result;
  do {
    result = flock(int_at(info, 0), LOCK_EX | (wait ? 0 : LOCK_NB));
  } while (result != 0 && errno == EINTR);
  if (result != 0 && errno != EWOULDBLOCK) return throw_errno(info.Env(), errno, "flock");
  return Napi::Boolean::New(info.Env(), result == 0);
}

// filesystemType(path) -> the magic number of statfs(2)
Napi::Value filesystem_type(const Napi::CallbackInfo& info) {
  struct statfs status = {};
  std::string path = string_at(info, 0);
  if (statfs(path.c_str(), &status) != 0) return throw_errno(info.Env(), errno, "statfs", path);
  return Napi::Number::New(info.Env(), static_cast<double>(static_cast<unsigned long>(status.f_type)));
}

}  // namespace tsrun
