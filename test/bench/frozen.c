/*
 * frozen DIRECTORY: holds 100 MB of memory that does not compress to nothing, and writes to DIRECTORY/gap the longest
 * time, in microseconds of the machine's clock, for which it did not run since that file was last removed. It looks a
 * thousand times a second.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { megabytes = 100, page = 4096 };

/* Not CLOCK_MONOTONIC: restore makes that go on where it was. */
static long now(void) {
  struct timespec time;
  clock_gettime(CLOCK_REALTIME, &time);
  return time.tv_sec * 1000000L + time.tv_nsec / 1000;
}

static void fill(void) {
  size_t size = megabytes << 20;
  unsigned long* block = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (block == MAP_FAILED) exit(1);
  for (size_t word = 0; word < size / sizeof(long); word++) block[word] = word * 0x9e3779b97f4a7c15UL;
}

static void tell(long gap) {
  int fd = open("gap.new", O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (fd < 0 || dprintf(fd, "%ld\n", gap) < 0) exit(1);
  close(fd);
  if (rename("gap.new", "gap") != 0) exit(1);
}

int main(int argc, char** argv) {
  if (argc != 2 || chdir(argv[1]) != 0) return 2;
  fill();
  struct timespec moment = {0, 1000000};
  long longest = 0;
  for (long before = now();;) {
    nanosleep(&moment, NULL);
    long after = now(), gap = after - before;
    if (access("gap", F_OK) != 0) longest = 0;
    if (gap > longest) tell(longest = gap);
    before = now();
  }
}
