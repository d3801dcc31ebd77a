// A command that freezes a cgroup for a moment may be killed in that moment: then a guard thaws it.
#include <fcntl.h>
#include <linux/sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <ctime>

#include "../common/syscall.h"
#include "../generated/functions.h"

namespace tsrun {

namespace {

constexpr int kAttempts = 50;
constexpr long kPauseNanoseconds = 20000000;

// A cgroup that has been removed needs no thawing.
bool thawed(int freeze_fd) {
  long put = sys(__NR_write, freeze_fd, "0", 1);
  return put == 1 || put == -ENODEV;
}

// A byte means that all is well; the end of the pipe, that the command is gone. It only makes system calls, because the
// JS process has other threads.
[[noreturn]] void guard(int pipe, int freeze_fd) {
  // A session of its own: signals for the command's process group are not for the guard. None of the command's
  // descriptors stays open here.
  sys(__NR_setsid);
  bool placed = sys(__NR_dup3, pipe, 0, 0) >= 0 && sys(__NR_dup3, freeze_fd, 1, 0) >= 0;
  if (placed) {
    sys(__NR_close_range, 2, ~0u, 0);
    pipe = 0;
    freeze_fd = 1;
  }
  char byte;
  long got;
  do {
    got = sys(__NR_read, pipe, &byte, 1);
  } while (got == -EINTR);
  int status = 0;
  timespec pause = {0, kPauseNanoseconds};
  for (int left = kAttempts; got != 1 && !thawed(freeze_fd); left--) {
    if (left == 0) {
      status = 1;
      break;
    }
    sys(__NR_nanosleep, &pause, nullptr);
  }
  for (;;) sys(__NR_exit_group, status);
}

}  // namespace

Napi::Value js_start_thaw_guard(const Napi::CallbackInfo& info) {
  StartThawGuardArguments arguments(info);
  Napi::Env env = info.Env();
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return throw_errno(env, errno, "pipe2");
  UniqueFd read_end(ends[0]), write_end(ends[1]);
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  long pid = sys(__NR_clone, SIGCHLD, nullptr, nullptr, nullptr, nullptr);
  if (pid == 0) {
    sys(__NR_close, ends[1]);
    guard(ends[0], arguments.fd);
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (pid < 0) return throw_errno(env, static_cast<int>(-pid), "clone");
  ThawGuard result;
  result.pid = static_cast<int>(pid);
  result.pipe = write_end.release();
  return result.to_js(env);
}

Napi::Value js_end_thaw_guard(const Napi::CallbackInfo& info) {
  EndThawGuardArguments arguments(info);
  UniqueFd write_end(arguments.guard.pipe);
  bool is_thawed = arguments.thawed;
  if (is_thawed) {
    // If this fails, the guard thaws once more, which changes nothing.
    ssize_t ignored = write(write_end.get(), "", 1);
    static_cast<void>(ignored);
  }
  write_end.reset(-1);
  int status = 0;
  int reaped;
  pid_t pid = arguments.guard.pid;
  while ((reaped = waitpid(pid, &status, 0)) < 0 && errno == EINTR) continue;
  bool has_thawed = reaped == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
  return Napi::Boolean::New(info.Env(), is_thawed || has_thawed);
}

}  // namespace tsrun
