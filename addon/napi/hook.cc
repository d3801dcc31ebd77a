// Hooks that run in the runtime's namespaces.
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <ctime>

#include "../common/interrupts.h"
#include "../common/syscall.h"
#include "../generated/functions.h"
#include "../generated/message.h"
#include "sealed_image.h"

namespace tsrun {

namespace {

constexpr size_t kTail = 4096;

double now_ms() {
  timespec time = {};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<double>(time.tv_sec) * 1000 + static_cast<double>(time.tv_nsec) / 1e6;
}

// The state as a file of this hook's own, which it may read slowly, seek in, or not read at all.
int state_file(const std::string& state) {
  int fd = memfd_create("state", MFD_CLOEXEC);
  int error = fd < 0 ? errno : write_all_at(fd, state.data(), state.size(), 0);
  if (error == 0) return fd;
  if (fd >= 0) close(fd);
  errno = error;
  return -1;
}

int spawn_hook(const std::string& path, std::vector<std::string>& args, std::vector<std::string>& environment,
               int state_fd, int output_fd, pid_t* pid) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_adddup2(&actions, state_fd, 0);
  posix_spawn_file_actions_adddup2(&actions, output_fd, 1);
  posix_spawn_file_actions_adddup2(&actions, output_fd, 2);
  posix_spawn_file_actions_addclosefrom_np(&actions, 3);
  sigset_t all, none;
  sigfillset(&all);
  sigemptyset(&none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setsigmask(&attributes, &none);
  // A process group of its own, so that a timeout can kill all that the hook has started.
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
  int error =
      posix_spawn(pid, path.c_str(), &actions, &attributes, pointers(args).data(), pointers(environment).data());
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  return error;
}

void drain(int fd, std::string* tail) {
  char buffer[4096];
  for (;;) {
    ssize_t got = read(fd, buffer, sizeof(buffer));
    if (got <= 0) return;
    tail->append(buffer, static_cast<size_t>(got));
    if (tail->size() > kTail) tail->erase(0, tail->size() - kTail);
  }
}

enum class Wait { kDone, kTimedOut, kInterrupted, kFailed };

// Waits until the hook has ended, its time is up, or the command is to end; kFailed leaves errno.
Wait wait_until_done(int pidfd, int output_fd, double timeout_ms, std::string* tail) {
  double deadline = now_ms() + timeout_ms;
  pollfd fds[3] = {{pidfd, POLLIN, 0}, {output_fd, POLLIN, 0}, {interrupt_fd(), POLLIN, 0}};
  for (;;) {
    double left = timeout_ms == 0 ? -1 : deadline - now_ms();
    if (timeout_ms != 0 && left <= 0) return Wait::kTimedOut;
    int wait = left < 0 ? -1 : left > 3600000 ? 3600000 : static_cast<int>(left) + 1;
    int ready = poll(fds, 3, wait);
    if (ready < 0 && errno == EINTR) continue;
    if (ready < 0) return Wait::kFailed;
    drain(output_fd, tail);
    if (ready > 0 && fds[2].revents != 0) {
      note_interrupt();
      return Wait::kInterrupted;
    }
    if (fds[1].revents & (POLLHUP | POLLERR)) fds[1].fd = -1;
    if (fds[0].revents != 0) return Wait::kDone;
  }
}

Napi::Value outcome(Napi::Env env, HookEnd end, int code, const std::string& tail) {
  HookOutcome result = {static_cast<double>(end), static_cast<double>(code), tail};
  return result.to_js(env);
}

}  // namespace

Napi::Value js_run_hook(const Napi::CallbackInfo& info) {
  RunHookArguments arguments(info);
  Napi::Env env = info.Env();
  HookOptions& hook = arguments.options;
  UniqueFd state(state_file(hook.state));
  if (state.get() < 0) return throw_errno(env, errno, "memfd_create");
  int output[2];
  if (pipe2(output, O_CLOEXEC) != 0) return throw_errno(env, errno, "pipe2");
  UniqueFd output_read(output[0]), output_write(output[1]);
  fcntl(output[0], F_SETFL, O_NONBLOCK);
  pid_t pid = -1;
  int error = spawn_hook(hook.path, hook.args, hook.env, state.get(), output[1], &pid);
  if (error != 0) return outcome(env, kHookNotStarted, error, "");
  output_write.reset(-1);
  long opened = sys(__NR_pidfd_open, pid, 0);
  UniqueFd pidfd(static_cast<int>(opened));
  std::string tail;
  // If the wait fails, the hook is killed: nobody would know how it ended, or when.
  Wait wait =
      opened < 0 ? Wait::kFailed : wait_until_done(pidfd.get(), output[0], static_cast<double>(hook.timeout_ms), &tail);
  int failure = opened < 0 ? static_cast<int>(-opened) : errno;
  if (wait != Wait::kDone) kill(-pid, SIGKILL);
  int status = 0;
  int reaped;
  while ((reaped = waitpid(pid, &status, 0)) < 0 && errno == EINTR) continue;
  if (wait == Wait::kFailed) return throw_errno(env, failure, opened < 0 ? "pidfd_open" : "poll", hook.path);
  if (reaped < 0) return throw_errno(env, errno, "waitpid", hook.path);
  if (wait == Wait::kTimedOut) return outcome(env, kHookTimedOut, 0, tail);
  if (WIFSIGNALED(status)) return outcome(env, kHookSignalled, WTERMSIG(status), tail);
  return outcome(env, kHookExited, WEXITSTATUS(status), tail);
}

}  // namespace tsrun
