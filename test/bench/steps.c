/*
 * Counts the instructions that a command's own process executes in user space, all threads together, by stepping
 * through them with ptrace(2). A virtual machine takes 20 microseconds for a step. Children are not counted and run
 * freely.
 *
 * Usage: steps FILE COMMAND [ARGUMENT ...]; writes the count to the file after the command's end, and exits as it does.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

enum { kMostThreads = 256 };

static struct {
  pid_t id;
  uint64_t at;
} threads[kMostThreads];

static void fail(const char* what) {
  perror(what);
  exit(125);
}

/* The instruction pointer of the thread's last stop. */
static uint64_t* last_of(pid_t thread) {
  for (int i = 0; i < kMostThreads; i++) {
    if (threads[i].id == 0) threads[i].id = thread;
    if (threads[i].id == thread) return &threads[i].at;
  }
  fprintf(stderr, "steps: too many threads\n");
  exit(125);
}

static pid_t process_of(pid_t thread) {
  char path[64];
  char line[256];
  int process = -1;
  snprintf(path, sizeof path, "/proc/%d/status", thread);
  FILE* file = fopen(path, "re");
  if (file == NULL) return -1;
  while (fgets(line, sizeof line, file) != NULL && sscanf(line, "Tgid: %d", &process) != 1) {
  }
  fclose(file);
  return process;
}

static uint64_t pointer_of(pid_t thread) {
  errno = 0;
  uint64_t at = (uint64_t)ptrace(PTRACE_PEEKUSER, thread, offsetof(struct user_regs_struct, rip), 0);
  return errno == 0 ? at : 0;
}

int main(int argc, char** argv) {
  if (argc < 3) return 125;
  pid_t command = fork();
  if (command < 0) fail("fork");
  if (command == 0) {
    ptrace(PTRACE_TRACEME, 0, 0, 0);
    raise(SIGSTOP);
    execvp(argv[2], argv + 2);
    fail(argv[2]);
  }
  int status;
  if (waitpid(command, &status, 0) < 0) fail("waitpid");
  long wanted = PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL;
  if (ptrace(PTRACE_SETOPTIONS, command, 0, wanted) < 0) fail("ptrace");
  ptrace(PTRACE_CONT, command, 0, 0);
  uint64_t count = 0;
  int started = 0;
  int code = 125;
  pid_t thread;
  while ((thread = waitpid(-1, &status, __WALL)) > 0) {
    if (!WIFSTOPPED(status)) {
      if (thread != command) continue;
      code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
      break;
    }
    int signal = WSTOPSIG(status);
    int event = status >> 16;
    if (event == PTRACE_EVENT_EXEC && !started) {
      started = 1;
      count = 0;
    } else if (event == 0 && signal == SIGTRAP) {
      uint64_t* last = last_of(thread);
      uint64_t at = pointer_of(thread);
      /* A string instruction stops after each of its rounds, and counts as one. */
      if (at != *last) count++;
      *last = at;
    } else if (event == 0 && signal == SIGSTOP && thread != command && process_of(thread) != command) {
      ptrace(PTRACE_DETACH, thread, 0, 0);
      continue;
    }
    /* The stop at which a new thread begins is no signal for it. */
    int deliver = event != 0 || signal == SIGTRAP || signal == SIGSTOP ? 0 : signal;
    ptrace(started ? PTRACE_SINGLESTEP : PTRACE_CONT, thread, 0, deliver);
  }
  FILE* file = fopen(argv[1], "we");
  if (file == NULL) fail(argv[1]);
  fprintf(file, "%llu\n", (unsigned long long)count);
  if (fclose(file) != 0) fail(argv[1]);
  return code;
}
