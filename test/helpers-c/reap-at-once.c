/*
 * reap-at-once COMMAND [ARGUMENT...]: runs the command and is the parent of the processes that it leaves behind.
 * SIGCHLD is ignored, so the kernel reaps all of them as soon as they end. Exits with 0 once the command has ended.
 */
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char** argv) {
  if (argc < 2 || prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) return 2;
  signal(SIGCHLD, SIG_IGN);
  pid_t pid = fork();
  if (pid < 0) return 2;
  if (pid == 0) {
    execv(argv[1], argv + 1);
    _exit(127);
  }
  struct pollfd ended = {(int)syscall(SYS_pidfd_open, pid, 0), POLLIN, 0};
  return ended.fd >= 0 && poll(&ended, 1, -1) == 1 ? 0 : 2;
}
