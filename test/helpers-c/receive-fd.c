/*
 * receive-fd SOCKET: listens for --console-socket and --pidfd-socket. Prints "listening", accepts one connection and
 * prints its first message as "text TEXT" and "fds COUNT", and what comes after it as "more BYTES". Then prints what
 * the first descriptor is: "pidfd PID", or "pty ROWS COLUMNS", to which it writes "hello" and a newline, and whose
 * output it copies until the other end is closed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define MOST_FDS 8

static int accept_one(const char* path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
  int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  if (bind(fd, (struct sockaddr*)&address, sizeof(address)) != 0 || listen(fd, 4) != 0) exit(3);
  puts("listening");
  return accept(fd, NULL, NULL);
}

/* Reads the connection to its end, when the sender closes it. */
static int receive(int connection) {
  char text[8192], control[CMSG_SPACE(MOST_FDS * sizeof(int))];
  struct iovec part = {text, sizeof(text)};
  struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
  ssize_t got = recvmsg(connection, &header, 0);
  struct cmsghdr* first = CMSG_FIRSTHDR(&header);
  if (got < 0 || first == NULL || first->cmsg_type != SCM_RIGHTS) exit(4);
  int received;
  memcpy(&received, CMSG_DATA(first), sizeof(received));
  printf("text %.*s\nfds %zu\n", (int)got, text, (first->cmsg_len - CMSG_LEN(0)) / sizeof(int));
  ssize_t more = 0;
  while ((got = read(connection, text, sizeof(text))) > 0) more += got;
  printf("more %zd\n", more);
  return received;
}

static void use_pty(int master) {
  struct winsize size;
  if (ioctl(master, TIOCGWINSZ, &size) != 0) exit(5);
  printf("pty %d %d\n", size.ws_row, size.ws_col);
  if (write(master, "hello\n", 6) != 6) exit(6);
  char output[4096];
  ssize_t got;
  while ((got = read(master, output, sizeof(output))) > 0) fwrite(output, 1, (size_t)got, stdout);
}

/* proc_pid_fdinfo(5): only a pidfd has a line with this name. */
static int pid_of_pidfd(int fd) {
  char path[64], line[256];
  snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
  FILE* info = fopen(path, "r");
  int pid = -1;
  while (info != NULL && fgets(line, sizeof(line), info) != NULL) sscanf(line, "Pid: %d", &pid);
  return pid;
}

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  setvbuf(stdout, NULL, _IOLBF, 0);
  int received = receive(accept_one(argv[1]));
  int pid = pid_of_pidfd(received);
  if (pid >= 0)
    printf("pidfd %d\n", pid);
  else
    use_pty(received);
  return 0;
}
