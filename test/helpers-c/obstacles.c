/*
 * obstacles: holds what CRIU cannot save, or only with a flag: a device, io_uring, a file lock, a removed file that has
 * another name, one that is large and has none, and a child in an ipc namespace of its own.
 * Says in /ready what it has, one line each.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/io_uring.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int create(const char* path) {
  int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0644);
  if (fd < 0) {
    perror(path);
    exit(1);
  }
  return fd;
}

/* In a child, whose pid namespace is the container's still. */
static int has_nested_ipc(void) {
  int ends[2];
  char result = 0;
  if (pipe(ends) != 0) return 0;
  if (fork() == 0) {
    result = unshare(CLONE_NEWIPC) == 0;
    if (write(ends[1], &result, 1) != 1) _exit(1);
    for (;;) pause();
  }
  return read(ends[0], &result, 1) == 1 && result;
}

int main(void) {
  FILE* ready = fopen("/ready.new", "w");
  if (ready == NULL) return 1;
  if (open("/dev/obstacle", O_RDWR) >= 0) fputs("device\n", ready);
  struct io_uring_params params;
  memset(&params, 0, sizeof(params));
  if (syscall(SYS_io_uring_setup, 4, &params) >= 0) fputs("io_uring\n", ready);
  if (flock(create("/locked"), LOCK_EX) == 0) fputs("file-lock\n", ready);
  create("/linked");
  if (link("/linked", "/other") == 0 && unlink("/linked") == 0) fputs("removed-file\n", ready);
  if (ftruncate(create("/large"), 2 << 20) == 0 && unlink("/large") == 0) fputs("large-file\n", ready);
  if (has_nested_ipc()) fputs("nested-namespace\n", ready);
  fclose(ready);
  rename("/ready.new", "/ready");
  for (;;) pause();
}
