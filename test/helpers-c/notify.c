/*
 * notify listen SOCKET | notify send TEXT: the two ends of sd_notify(3). listen prints "listening" and every message
 * that it gets; it answers BARRIER=1 by closing the descriptor that comes with it. send sends TEXT to NOTIFY_SOCKET,
 * then BARRIER=1, and prints "taken in" once that is answered.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static struct sockaddr_un address_of(const char* path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
  return address;
}

static int listen_at(const char* path) {
  struct sockaddr_un address = address_of(path);
  int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
  if (bind(fd, (struct sockaddr*)&address, sizeof(address)) != 0) return 3;
  puts("listening");
  char text[4096];
  ssize_t got;
  /* There is no room for descriptors, so the kernel closes them. */
  while ((got = recv(fd, text, sizeof(text), 0)) >= 0) printf("<%.*s>\n", (int)got, text);
  return 4;
}

static int send_to_manager(const char* text) {
  struct sockaddr_un address = address_of(getenv("NOTIFY_SOCKET"));
  int fd = socket(AF_UNIX, SOCK_DGRAM, 0), ends[2];
  if (connect(fd, (struct sockaddr*)&address, sizeof(address)) != 0 || send(fd, text, strlen(text), 0) < 0) return 3;
  if (pipe(ends) != 0) return 4;
  char control[CMSG_SPACE(sizeof(int))] = {0};
  struct iovec part = {"BARRIER=1", 9};
  struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
  struct cmsghdr* first = CMSG_FIRSTHDR(&header);
  first->cmsg_level = SOL_SOCKET;
  first->cmsg_type = SCM_RIGHTS;
  first->cmsg_len = CMSG_LEN(sizeof(int));
  memcpy(CMSG_DATA(first), &ends[1], sizeof(int));
  if (sendmsg(fd, &header, 0) < 0) return 5;
  close(ends[1]);
  char byte;
  if (read(ends[0], &byte, 1) != 0) return 6;
  puts("taken in");
  return 0;
}

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  setvbuf(stdout, NULL, _IOLBF, 0);
  return strcmp(argv[1], "listen") == 0 ? listen_at(argv[2]) : send_to_manager(argv[2]);
}
