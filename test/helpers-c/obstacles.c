/*
 * obstacles [NAME...]: holds what CRIU cannot save, or only with a flag: a device, io_uring, a file lock, a removed
 * file that has another name, a large one that has none, and a child in an ipc namespace of its own. Lists in /ready
 * what it holds, one line each. With names, it holds only those; further names are `outer-socket`, a connection to
 * $OUTSIDE, `waiting`, a TCP connection that it has not accepted, and `connecting`, one that is not complete. Goes on
 * writing to what it can.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static int create(const char* path) {
  int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0644);
  if (fd < 0) {
    perror(path);
    exit(1);
  }
  return fd;
}

/* In a child, which stays in the container's pid namespace. */
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

/* Connects to a datagram socket outside. */
static int connect_to(const char* path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
  int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
  return connect(fd, (struct sockaddr*)&address, sizeof(address)) == 0 ? fd : -1;
}

static int tcp(int flags) { return socket(AF_INET, SOCK_STREAM | flags, 0); }

/* A server that has room for one connection. */
static int listening = -1;
static int connect_to_self(void) {
  static struct sockaddr_in address = {.sin_family = AF_INET};
  socklen_t size = sizeof(address);
  if (listening < 0) {
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    listening = tcp(SOCK_NONBLOCK);
    if (bind(listening, (struct sockaddr*)&address, size) != 0 || listen(listening, 0) != 0) return -1;
    getsockname(listening, (struct sockaddr*)&address, &size);
  }
  int fd = tcp(SOCK_NONBLOCK);
  connect(fd, (struct sockaddr*)&address, size);
  return fd;
}

/* The other end is closed, so the connection is only in the queue. */
static int waiting(void) { return close(connect_to_self()) == 0 ? create("/goes-on") : -1; }

/* The kernel does not answer, because there is no room. */
static int is_connecting(void) {
  close(connect_to_self());
  return connect_to_self() >= 0;
}

/* Writes there until it is killed, to show that it goes on. */
static __attribute__((noreturn)) void go_on(int fd) {
  struct timespec moment = {0, 20000000};
  for (;;) {
    if (fd >= 0 && write(fd, ".", 1) != 1) exit(1);
    nanosleep(&moment, NULL);
  }
}

static int removed_file(void) {
  int fd = create("/linked");
  return link("/linked", "/other") == 0 && unlink("/linked") == 0 ? fd : -1;
}

static int is_device(void) { return open("/dev/obstacle", O_RDWR) >= 0; }

static int has_io_uring(void) {
  struct io_uring_params params;
  memset(&params, 0, sizeof(params));
  return syscall(SYS_io_uring_setup, 4, &params) >= 0;
}

static int has_lock(void) { return flock(create("/locked"), LOCK_EX) == 0; }

static int has_large(void) { return ftruncate(create("/large"), 2 << 20) == 0 && unlink("/large") == 0; }

static int wanted(const char* name, char** names) {
  if (*names == NULL)
    return strcmp(name, "outer-socket") != 0 && strcmp(name, "waiting") != 0 && strcmp(name, "connecting") != 0;
  for (; *names != NULL; names++)
    if (strcmp(name, *names) == 0) return 1;
  return 0;
}

int main(int argc, char** argv) {
  (void)argc;
  char** names = argv + 1;
  int out = -1;
  FILE* ready = fopen("/ready.new", "w");
  if (ready == NULL) return 1;
  if (wanted("device", names) && is_device()) fputs("device\n", ready);
  if (wanted("io_uring", names) && has_io_uring()) fputs("io_uring\n", ready);
  if (wanted("file-lock", names) && has_lock()) fputs("file-lock\n", ready);
  if (wanted("removed-file", names) && (out = removed_file()) >= 0) fputs("removed-file\n", ready);
  if (wanted("large-file", names) && has_large()) fputs("large-file\n", ready);
  if (wanted("outer-socket", names) && (out = connect_to(getenv("OUTSIDE"))) >= 0) fputs("outer-socket\n", ready);
  if (wanted("waiting", names) && (out = waiting()) >= 0) fputs("waiting\n", ready);
  if (wanted("connecting", names) && is_connecting()) fputs("connecting\n", ready);
  if (wanted("nested-namespace", names) && has_nested_ipc()) fputs("nested-namespace\n", ready);
  fclose(ready);
  rename("/ready.new", "/ready");
  go_on(out);
}
