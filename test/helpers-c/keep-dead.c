/*
 * keep-dead COMMAND [ARGUMENT...]: runs the command and stays as the parent of the processes that it leaves behind, and
 * reaps none of them: until this ends, all of them can be looked at, dead or alive.
 */
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char** argv) {
  int status = 0;
  if (argc < 2 || prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) return 2;
  pid_t pid = fork();
  if (pid < 0) return 2;
  if (pid == 0) {
    execv(argv[1], argv + 1);
    _exit(127);
  }
  if (waitpid(pid, &status, 0) != pid || status != 0) return 1;
  puts("ready");
  fflush(stdout);
  for (;;) pause();
}
