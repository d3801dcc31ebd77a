/*
 * witness [tcp|memory]: does everything that a checkpoint must preserve, and reports it in /status, some fifty times a
 * second: a count of its own, one of a thread, one of a timer, one that a child sends through a pipe, and the offset of
 * a file that it keeps writing. With `tcp` also one that goes back and forth over a connection; with `memory` how many
 * of the 4096 pages of a block still have their first value, while it changes the rest of the first 256 pages each
 * time. A counter that restarted would be noticed.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile long thread_count, timer_count;

static __attribute__((noreturn)) void fail(const char* what) {
  perror(what);
  exit(1);
}

static void pause_ms(long ms) {
  struct timespec left = {0, ms * 1000000};
  while (nanosleep(&left, &left) != 0) continue;
}

static void* count_in_thread(void* unused) {
  (void)unused;
  for (;;) {
    thread_count++;
    pause_ms(5);
  }
  return NULL;
}

static void on_timer(int signal) {
  (void)signal;
  timer_count++;
}

/* The child keeps only its end of the pipe open. */
static int start_child(void) {
  int ends[2];
  if (pipe(ends) != 0) fail("pipe");
  switch (fork()) {
    case -1:
      fail("fork");
    case 0:
      close(ends[0]);
      for (long count = 1;; count++) {
        if (write(ends[1], &count, sizeof(count)) != sizeof(count)) _exit(0);
        pause_ms(5);
      }
  }
  close(ends[1]);
  fcntl(ends[0], F_SETFL, O_NONBLOCK);
  return ends[0];
}

static void* echo(void* given) {
  int fd = *(int*)given;
  long number;
  while (recv(fd, &number, sizeof(number), MSG_WAITALL) == sizeof(number)) send(fd, &number, sizeof(number), 0);
  return NULL;
}

/* Connects to itself; a thread answers at the other end. */
static int connect_to_self(void) {
  static int accepted;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof(address);
  int listening = socket(AF_INET, SOCK_STREAM, 0), fd = socket(AF_INET, SOCK_STREAM, 0);
  if (bind(listening, (struct sockaddr*)&address, size) != 0 || listen(listening, 1) != 0) fail("listen");
  getsockname(listening, (struct sockaddr*)&address, &size);
  if (connect(fd, (struct sockaddr*)&address, size) != 0) fail("connect");
  accepted = accept(listening, NULL, NULL);
  pthread_t thread;
  pthread_create(&thread, NULL, echo, &accepted);
  return fd;
}

enum { pages = 4096, changing = 256, words_of_page = 4096 / sizeof(long) };

static long* fill_block(void) {
  long* block = mmap(NULL, pages * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (block == MAP_FAILED) fail("mmap");
  // Small pages: otherwise one change would touch a huge page.
  madvise(block, pages * 4096, MADV_NOHUGEPAGE);
  for (long page = 0; page < pages; page++) block[page * words_of_page] = page + 1;
  return block;
}

/* Returns how many pages are unchanged. */
static long change_block(long* block, long count) {
  long intact = 0;
  for (long page = 0; page < pages; page++) {
    intact += block[page * words_of_page] == page + 1;
    if (page < changing) block[page * words_of_page + 1] = count;
  }
  return intact;
}

int main(int argc, char** argv) {
  int has_tcp = argc > 1 && strcmp(argv[1], "tcp") == 0;
  long* block = argc > 1 && strcmp(argv[1], "memory") == 0 ? fill_block() : NULL;
  int child = start_child();
  pthread_t thread;
  if (pthread_create(&thread, NULL, count_in_thread, NULL) != 0) fail("pthread_create");
  signal(SIGALRM, on_timer);
  struct itimerval every = {{0, 5000}, {0, 5000}};
  if (setitimer(ITIMER_REAL, &every, NULL) != 0) fail("setitimer");
  int connection = has_tcp ? connect_to_self() : -1;
  int file = open("/written", O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (file < 0) fail("/written");
  long child_count = 0, echoed = 0;
  for (long count = 1;; count++) {
    while (read(child, &child_count, sizeof(child_count)) == sizeof(child_count)) continue;
    if (write(file, ".", 1) != 1) fail("write");
    if (has_tcp && (send(connection, &count, sizeof(count), 0) != sizeof(count) ||
                    recv(connection, &echoed, sizeof(echoed), MSG_WAITALL) != sizeof(echoed)))
      fail("connection");
    FILE* status = fopen("/status.new", "w");
    if (status == NULL) fail("/status.new");
    fprintf(status,
            "{\"count\":%ld,\"thread\":%ld,\"timer\":%ld,\"child\":%ld,\"offset\":%ld,\"echoed\":%ld,\"intact\":%ld}\n",
            count, thread_count, timer_count, child_count, (long)lseek(file, 0, SEEK_CUR), echoed,
            block == NULL ? 0 : change_block(block, count));
    fclose(status);
    rename("/status.new", "/status");
    pause_ms(20);
  }
}
