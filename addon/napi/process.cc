// Processes, always by pidfd: a pid may belong to another process by the time it is used.
#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

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

int signal_pipe = -1;

void note_signal(int signal) {
  int saved = errno;
  unsigned char byte = static_cast<unsigned char>(signal);
  if (write(signal_pipe, &byte, 1) < 0) errno = 0;  // a full pipe: the same signals are pending already
  errno = saved;
}

// Signals that mean this process itself and are not passed on.
bool is_own(int signal) {
  return signal == SIGCHLD || signal == SIGKILL || signal == SIGSTOP || signal == SIGSEGV || signal == SIGBUS ||
         signal == SIGFPE || signal == SIGILL || signal == SIGABRT || signal == SIGURG || signal == 32 || signal == 33;
}

void catch_signals() {
  struct sigaction action = {};
  action.sa_handler = note_signal;
  action.sa_flags = SA_RESTART;
  sigfillset(&action.sa_mask);
  for (int signal = 1; signal <= SIGRTMAX; signal++) {
    if (!is_own(signal)) sigaction(signal, &action, nullptr);
  }
}

}  // namespace

// pidfdOpen(pid) -> fd
Napi::Value pidfd_open_pid(const Napi::CallbackInfo& info) {
  long fd = sys(__NR_pidfd_open, int_at(info, 0), 0);
  if (fd < 0) return throw_errno(info.Env(), static_cast<int>(-fd), "pidfd_open");
  return Napi::Number::New(info.Env(), static_cast<double>(fd));
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

// reap(pidfd of a child) -> { code } | { signal }; waits for its end
Napi::Value reap(const Napi::CallbackInfo& info) { return reap_pidfd(info.Env(), int_at(info, 0)); }

// waitForeground(pidfd of a child) -> as reap; passes every signal this process gets on to the child meanwhile
Napi::Value wait_foreground(const Napi::CallbackInfo& info) {
  int pidfd = int_at(info, 0);
  int ends[2];
  if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return throw_errno(info.Env(), errno, "pipe2");
  UniqueFd read_end(ends[0]);
  signal_pipe = ends[1];
  catch_signals();
  pollfd events[2] = {{pidfd, POLLIN, 0}, {ends[0], POLLIN, 0}};
  for (;;) {
    poll_again(events, 2, -1);
    unsigned char signal;
    while (read(ends[0], &signal, 1) == 1) sys(__NR_pidfd_send_signal, pidfd, signal, nullptr, 0);
    if (events[0].revents != 0) return reap_pidfd(info.Env(), pidfd);
  }
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
