/* exchange A B: a neighbour that swaps two directories for ever, atomically (renameat2(2), RENAME_EXCHANGE). */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  puts("ready");
  fflush(stdout);
  for (;;) {
    if (renameat2(AT_FDCWD, argv[1], AT_FDCWD, argv[2], RENAME_EXCHANGE) != 0) {
      perror("renameat2");
      return 1;
    }
  }
}
