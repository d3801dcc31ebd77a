/*
 * terminal PROGRAM ARGUMENTS...: runs it in a terminal of its own with 33 rows and 77 columns, and exits with its exit
 * code, or 128 + the signal. Its output goes to stdout; it gets no input.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void become_program(int master, char** arguments) {
  setsid();
  int slave = open(ptsname(master), O_RDWR);
  if (slave < 0 || ioctl(slave, TIOCSCTTY, 0) != 0) _exit(125);
  for (int fd = 0; fd < 3; fd++) dup2(slave, fd);
  execvp(arguments[0], arguments);
  _exit(127);
}

static void pass_on(int master) {
  char bytes[4096];
  ssize_t got = read(master, bytes, sizeof(bytes));
  for (ssize_t at = 0; at < got;) {
    ssize_t put = write(1, bytes + at, got - at);
    if (put < 0) exit(126);
    at += put;
  }
}

int main(int count, char** arguments) {
  if (count < 2) return 2;
  int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0) return 3;
  /* Stays open, so that the program may open and close it, and its output is kept. */
  int slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
  struct winsize size = {.ws_row = 33, .ws_col = 77};
  if (ioctl(master, TIOCSWINSZ, &size) != 0) return 3;
  pid_t child = fork();
  if (child == 0) become_program(master, arguments + 1);
  int ended = (int)syscall(SYS_pidfd_open, child, 0);
  if (slave < 0 || child < 0 || ended < 0) return 4;
  struct pollfd ready[2] = {{ended, POLLIN, 0}, {master, POLLIN, 0}};
  do {
    while (poll(ready, 2, -1) < 0) continue;
    if (ready[1].revents != 0) pass_on(master);
  } while (ready[0].revents == 0 || ready[1].revents != 0);
  int status;
  if (waitpid(child, &status, 0) != child) return 5;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
