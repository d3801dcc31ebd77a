/*
 * talk serve PORT | talk ask ADDRESS PORT: the server answers each number that comes over a connection with how many it
 * has answered so far; the client sends one number after another, fifty a second, and prints each answer in a line. It
 * ends with an error when the connection does, or when an answer is not one more than the last: another server
 * would begin anew.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static __attribute__((noreturn)) void fail(const char* what) {
  perror(what);
  exit(1);
}

static struct sockaddr_in address_of(const char* address, const char* port) {
  struct sockaddr_in found = {.sin_family = AF_INET, .sin_port = htons(atoi(port))};
  if (inet_pton(AF_INET, address, &found.sin_addr) != 1) fail(address);
  return found;
}

static int connection(const struct sockaddr_in* address) {
  struct timespec moment = {0, 100 * 1000 * 1000};
  for (int attempt = 0; attempt < 600; attempt++) {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fd, (const struct sockaddr*)address, sizeof(*address)) == 0) return fd;
    close(fd);
    nanosleep(&moment, NULL);
  }
  fail("connect");
}

static __attribute__((noreturn)) void serve(const char* port) {
  struct sockaddr_in address = address_of("0.0.0.0", port);
  int listening = socket(AF_INET, SOCK_STREAM, 0), on = 1;
  setsockopt(listening, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (bind(listening, (struct sockaddr*)&address, sizeof(address)) != 0 || listen(listening, 4) != 0) fail("listen");
  long question, answered = 0;
  for (;;) {
    int fd = accept(listening, NULL, NULL);
    while (recv(fd, &question, sizeof(question), MSG_WAITALL) == sizeof(question)) {
      answered++;
      if (send(fd, &answered, sizeof(answered), MSG_NOSIGNAL) != sizeof(answered)) break;
    }
    close(fd);
  }
}

static __attribute__((noreturn)) void ask(const char* host, const char* port) {
  struct sockaddr_in address = address_of(host, port);
  int fd = connection(&address);
  long answer, last = 0;
  struct timespec moment = {0, 20 * 1000 * 1000};
  for (long question = 1;; question++) {
    if (send(fd, &question, sizeof(question), MSG_NOSIGNAL) != sizeof(question)) fail("send");
    ssize_t size = recv(fd, &answer, sizeof(answer), MSG_WAITALL);
    if (size < 0) fail("recv");
    if (size != sizeof(answer) || answer != last + 1) {
      fprintf(stderr, "after answer %ld: %s\n", last, size == 0 ? "closed" : "another server");
      exit(1);
    }
    last = answer;
    printf("%ld\n", answer);
    fflush(stdout);
    nanosleep(&moment, NULL);
  }
}

int main(int argc, char** argv) {
  signal(SIGHUP, SIG_IGN);
  if (argc == 3 && strcmp(argv[1], "serve") == 0) serve(argv[2]);
  if (argc == 4 && strcmp(argv[1], "ask") == 0) ask(argv[2], argv[3]);
  fprintf(stderr, "usage: talk serve PORT | talk ask ADDRESS PORT\n");
  return 2;
}
