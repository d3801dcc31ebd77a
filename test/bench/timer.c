/* Times commands without an interpreter in the way: reads one command per line (arguments separated by \x1f), runs
 * each with posix_spawn and wait4, and prints "exit-code wall-ns user-us system-us max-rss-kib page-faults" per line.
 * Standard streams of the commands are /dev/null, so that no pipe is part of the figure. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char** environ;

static long long now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static int split(char* line, char** argv, int max) {
  int count = 0;
  line[strcspn(line, "\n")] = 0;
  for (char* part = strtok(line, "\x1f"); part != NULL && count < max - 1; part = strtok(NULL, "\x1f"))
    argv[count++] = part;
  argv[count] = NULL;
  return count;
}

static long long us(struct timeval t) { return t.tv_sec * 1000000LL + t.tv_usec; }

int main(void) {
  char *line = NULL, *argv[256];
  size_t size = 0;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  for (int fd = 0; fd < 3; fd++) posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", O_RDWR, 0);
  setvbuf(stdout, NULL, _IOLBF, 0);
  while (getline(&line, &size, stdin) > 0) {
    if (split(line, argv, 256) == 0) continue;
    pid_t pid;
    struct rusage usage;
    int status;
    long long start = now();
    if (posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ) != 0) return 1;
    wait4(pid, &status, 0, &usage);
    long long wall = now() - start;
    printf("%d %lld %lld %lld %ld %ld\n", WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), wall,
           us(usage.ru_utime), us(usage.ru_stime), usage.ru_maxrss, usage.ru_minflt + usage.ru_majflt);
  }
  return 0;
}
