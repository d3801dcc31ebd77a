/*
 * seccomp-agent SOCKET ANSWER: an agent for SCMP_ACT_NOTIFY. Listens on SOCKET, prints "listening", accepts one
 * connection and prints the state that it gets as one line. Then it prints the number of each call that it is asked
 * about, and answers with ANSWER: "continue", or an errno. Ends once nothing is left that could ask.
 */
#include <errno.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int listen_at(const char* path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
  int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  if (bind(fd, (struct sockaddr*)&address, sizeof(address)) != 0 || listen(fd, 4) != 0) exit(3);
  puts("listening");
  return fd;
}

/* Reads the connection to its end; the descriptor must come with the first part. */
static int receive(int connection) {
  char text[65536], control[CMSG_SPACE(sizeof(int))];
  struct iovec part = {text, sizeof(text)};
  struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
  ssize_t got = recvmsg(connection, &header, 0);
  struct cmsghdr* first = CMSG_FIRSTHDR(&header);
  if (got <= 0 || first == NULL || first->cmsg_type != SCM_RIGHTS) exit(4);
  int listener;
  memcpy(&listener, CMSG_DATA(first), sizeof(listener));
  do {
    /* crun's state has several lines. */
    for (ssize_t i = 0; i < got; i++) putchar(text[i] == '\n' ? ' ' : text[i]);
  } while ((got = read(connection, text, sizeof(text))) > 0);
  putchar('\n');
  return listener;
}

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  setvbuf(stdout, NULL, _IOLBF, 0);
  int listener = receive(accept(listen_at(argv[1]), NULL, NULL));
  for (;;) {
    struct pollfd events = {listener, POLLIN, 0};
    if (poll(&events, 1, -1) < 0 || !(events.revents & POLLIN)) return 0;
    struct seccomp_notif asked = {0};
    if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &asked) != 0) continue;
    printf("%d\n", asked.data.nr);
    struct seccomp_notif_resp answer = {.id = asked.id};
    if (strcmp(argv[2], "continue") == 0)
      answer.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
    else
      answer.error = -atoi(argv[2]);
    ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
  }
}
