// Programs of the host that a command runs: ps(1), newuidmap(1).
#include "program.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "../generated/functions.h"

namespace tsrun {

std::string find_program(const std::string& name) {
  const char* path = getenv("PATH");
  std::string rest = path == nullptr ? "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" : path;
  for (size_t start = 0; start <= rest.size();) {
    size_t end = rest.find(':', start);
    if (end == std::string::npos) end = rest.size();
    std::string directory = rest.substr(start, end - start);
    start = end + 1;
    if (directory.empty() || directory[0] != '/') continue;
    std::string candidate = directory + "/" + name;
    if (access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  return "";
}

namespace {

int spawn_program(std::vector<std::string>& args, int out, int error, pid_t* pid) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, out, 1);
  posix_spawn_file_actions_adddup2(&actions, error, 2);
  posix_spawn_file_actions_addclosefrom_np(&actions, 3);
  sigset_t all;
  sigfillset(&all);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
  std::string program = find_program(args[0]);
  int failure = program.empty()
                    ? ENOENT
                    : posix_spawn(pid, program.c_str(), &actions, &attributes, pointers(args).data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  return failure;
}

// Reads both at once: a program that fills one pipe while the other is read would wait for ever. 0 or an errno.
int read_to_end(int out, int error, std::string texts[2]) {
  pollfd fds[2] = {{out, POLLIN, 0}, {error, POLLIN, 0}};
  while (fds[0].fd >= 0 || fds[1].fd >= 0) {
    if (poll(fds, 2, -1) < 0) {
      if (errno != EINTR) return errno;
      continue;
    }
    for (int i = 0; i < 2; i++) {
      if (fds[i].fd < 0 || fds[i].revents == 0) continue;
      char buffer[16384];
      ssize_t got = read(fds[i].fd, buffer, sizeof(buffer));
      if (got > 0)
        texts[i].append(buffer, static_cast<size_t>(got));
      else if (got == 0)
        fds[i].fd = -1;
      else if (errno != EINTR)
        return errno;
    }
  }
  return 0;
}

}  // namespace

Napi::Value js_run_program(const Napi::CallbackInfo& info) {
  RunProgramArguments arguments(info);
  Napi::Env env = info.Env();
  std::vector<std::string>& args = arguments.args;
  int out[2], error[2];
  if (pipe2(out, O_CLOEXEC) != 0) return throw_errno(env, errno, "pipe2");
  UniqueFd out_read(out[0]), out_write(out[1]);
  if (pipe2(error, O_CLOEXEC) != 0) return throw_errno(env, errno, "pipe2");
  UniqueFd error_read(error[0]), error_write(error[1]);
  pid_t pid = -1;
  int failure = spawn_program(args, out[1], error[1], &pid);
  if (failure != 0) return throw_errno(env, failure, "spawn", args[0]);
  out_write.reset(-1);
  error_write.reset(-1);
  std::string texts[2];
  int unread = read_to_end(out[0], error[0], texts);
  // Nobody reads what it prints from now on.
  out_read.reset(-1);
  error_read.reset(-1);
  int status = 0;
  int reaped;
  while ((reaped = waitpid(pid, &status, 0)) < 0 && errno == EINTR) continue;
  if (unread != 0) return throw_errno(env, unread, "read", args[0]);
  if (reaped < 0) return throw_errno(env, errno, "waitpid", args[0]);
  ProgramOutcome result;
  if (WIFSIGNALED(status))
    result.signal = WTERMSIG(status);
  else
    result.code = WEXITSTATUS(status);
  result.stdout = texts[0];
  result.stderr = texts[1];
  return result.to_js(env);
}

}  // namespace tsrun
