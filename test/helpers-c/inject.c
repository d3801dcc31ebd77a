/*
 * inject [OPTION...] COMMAND [ARGUMENT...]: runs a command and makes one of its system calls fail, by ptrace(2).
 *
 *   --count              only counts: a line "NAME COUNT" for each call that is made
 *   --error NAME:N:ERRNO the Nth call of that name (from 1) is not made and fails with this number
 *   --short NAME:N       the Nth call (write, pwrite64, sendto) is given half of its bytes
 *   --kill NAME:N[:exit] the process is killed (SIGKILL) before it makes the Nth call, or right after it
 *   --children           the calls of the processes that the command starts, without those of the command itself
 *   --runtime            of those, only while they run the command's own file or one in memory: not a container's
 *                        program
 *   --seconds S          how long the command may take; then it is killed, and the exit code is 124
 *   --report FILE        where to write what was counted or done, instead of stderr
 *
 * Counts calls from the command's start on, without its execve; those of all its threads together. The exit code is the
 * command's, or 128 + the signal. What it leaves running continues untraced. The report of a case is one line: "fired
 * PID NAME STRINGS", where STRINGS are those of the first two arguments that are text, or "missed" if the call was not
 * made so often; then "hang NAME" with its last call if it was killed because its time was up.
 *
 * Unlike strace, it can count only the calls of children, make a write short, and it says whether it has done anything.
 */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

/* After libc's header, whose enumeration its macros would break. */
#include <linux/ptrace.h>

enum { MOST_CALLS = 1024, MOST_TASKS = 4096 };
enum action { COUNT, FAIL, SHORTEN, KILL_BEFORE, KILL_AFTER };

/* syscalls(2): calls that a container runtime or its children may make. Others are reported by number. */
// clang-format off
#define CALLS \
  C(read) C(write) C(close) C(fstat) C(lseek) C(mmap) C(mprotect) C(munmap) C(brk) C(ioctl) C(pread64) C(pwrite64) \
  C(readv) C(writev) C(dup) C(nanosleep) C(getpid) C(socket) C(connect) C(accept) C(sendto) C(recvfrom) C(sendmsg) \
  C(recvmsg) C(shutdown) C(bind) C(listen) C(getsockname) C(getpeername) C(socketpair) C(setsockopt) C(getsockopt) \
  C(clone) C(execve) C(exit) C(wait4) C(kill) C(uname) C(fcntl) C(flock) C(fsync) C(fdatasync) C(truncate) \
  C(ftruncate) C(getcwd) C(chdir) C(fchdir) C(fchmod) C(fchown) C(umask) C(gettimeofday) C(getrlimit) C(getrusage) \
  C(sysinfo) C(getuid) C(getgid) C(setuid) C(setgid) C(geteuid) C(getegid) C(setpgid) C(getppid) C(setsid) \
  C(setreuid) C(setregid) C(getgroups) C(setgroups) C(setresuid) C(getresuid) C(setresgid) C(getresgid) C(getpgid) \
  C(getsid) C(capget) C(capset) C(sigaltstack) C(personality) C(statfs) C(fstatfs) C(getpriority) C(setpriority) \
  C(sched_setparam) C(sched_getparam) C(sched_setscheduler) C(sched_getscheduler) C(pivot_root) C(prctl) \
  C(setrlimit) C(chroot) C(sync) C(mount) C(umount2) C(sethostname) C(setdomainname) C(gettid) C(setxattr) \
  C(lsetxattr) C(fsetxattr) C(getxattr) C(lgetxattr) C(fgetxattr) C(futex) C(sched_setaffinity) \
  C(sched_getaffinity) C(epoll_ctl) C(timerfd_create) C(getdents64) C(set_tid_address) C(clock_gettime) \
  C(clock_getres) C(clock_nanosleep) C(exit_group) C(tgkill) C(mbind) C(set_mempolicy) C(add_key) C(request_key) \
  C(keyctl) C(ioprio_set) C(ioprio_get) C(openat) C(mkdirat) C(mknodat) C(fchownat) C(newfstatat) C(unlinkat) \
  C(renameat) C(linkat) C(symlinkat) C(readlinkat) C(fchmodat) C(faccessat) C(pselect6) C(ppoll) C(unshare) \
  C(set_robust_list) C(splice) C(tee) C(utimensat) C(epoll_pwait) C(signalfd4) C(timerfd_settime) C(fallocate) \
  C(accept4) C(eventfd2) C(epoll_create1) C(dup3) C(pipe2) C(inotify_init1) C(inotify_add_watch) C(prlimit64) \
  C(name_to_handle_at) C(open_by_handle_at) C(syncfs) C(setns) C(process_vm_readv) C(kcmp) C(finit_module) \
  C(sched_setattr) C(sched_getattr) C(renameat2) C(seccomp) C(getrandom) C(memfd_create) C(bpf) C(execveat) \
  C(copy_file_range) C(statx) C(rseq) C(pidfd_send_signal) C(io_uring_setup) C(open_tree) C(move_mount) C(fsopen) \
  C(fsconfig) C(fsmount) C(fspick) C(pidfd_open) C(clone3) C(close_range) C(openat2) C(pidfd_getfd) C(faccessat2) \
  C(mount_setattr) C(landlock_create_ruleset) C(set_mempolicy_home_node) C(rt_sigaction) C(rt_sigprocmask) \
  C(rt_sigreturn) C(rt_sigtimedwait) C(rt_sigsuspend) C(madvise) C(mremap) C(sendfile) C(sched_yield) \
  C(restart_syscall) C(waitid) C(tkill)
// clang-format on

static const struct {
  const char* name;
  long number;
} names[] = {
#define C(name) {#name, SYS_##name},
    CALLS
#if defined(__x86_64__)
        C(open) C(stat) C(lstat) C(access) C(pipe) C(poll) C(select) C(dup2) C(alarm) C(fork) C(vfork) C(rename)
            C(mkdir) C(rmdir) C(creat) C(link) C(unlink) C(symlink) C(readlink) C(chmod) C(chown) C(lchown) C(getpgrp)
                C(mknod) C(epoll_wait) C(epoll_create) C(getdents) C(arch_prctl) C(time) C(utimes) C(eventfd)
                    C(inotify_init)
#endif
#undef C
};

static struct {
  enum action action;
  char name[64];
  long number, nth;
  int error, children, runtime, seconds;
  const char* report;
} wanted;

static struct task {
  pid_t pid, tgid;
  long last;
  int known, error, is_doomed, is_foreign;
} tasks[MOST_TASKS];

static long counts[MOST_CALLS];
static pid_t command;
static int has_started, has_fired;
static char fired[256];
static volatile sig_atomic_t is_late;

static void die(const char* what) {
  perror(what);
  exit(125);
}

static const char* name_of(long number) {
  static char text[16];
  for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
    if (names[i].number == number) return names[i].name;
  snprintf(text, sizeof(text), "%ld", number);
  return text;
}

static long number_of(const char* name) {
  for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
    if (strcmp(names[i].name, name) == 0) return names[i].number;
  char* end;
  long number = strtol(name, &end, 10);
  if (*end == 0 && end != name) return number;
  fprintf(stderr, "inject: no system call %s\n", name);
  exit(125);
}

static void usage(void) {
  fputs(
      "usage: inject --count|--error NAME:N:ERRNO|--short NAME:N|--kill NAME:N[:exit] [--children|--runtime] "
      "[--seconds S] [--report FILE] COMMAND...\n",
      stderr);
  exit(125);
}

/* Parses NAME:N:REST; returns REST, or an empty string. */
static const char* read_place(const char* text, enum action action) {
  int used = 0;
  wanted.action = action;
  if (text == NULL || sscanf(text, "%63[^:]:%ld%n", wanted.name, &wanted.nth, &used) < 2) usage();
  wanted.number = number_of(wanted.name);
  return text[used] == ':' ? text + used + 1 : text + used;
}

static char** read_options(char** argument) {
  for (; *argument != NULL && strncmp(*argument, "--", 2) == 0; argument++) {
    const char* option = *argument + 2;
    if (strcmp(option, "count") == 0)
      wanted.action = COUNT;
    else if (strcmp(option, "children") == 0)
      wanted.children = 1;
    else if (strcmp(option, "runtime") == 0)
      wanted.children = wanted.runtime = 1;
    else if (strcmp(option, "error") == 0)
      wanted.error = atoi(read_place(*++argument, FAIL));
    else if (strcmp(option, "short") == 0)
      read_place(*++argument, SHORTEN);
    else if (strcmp(option, "kill") == 0) {
      if (strcmp(read_place(*++argument, KILL_BEFORE), "exit") == 0) wanted.action = KILL_AFTER;
    } else if (strcmp(option, "seconds") == 0 && argument[1] != NULL)
      wanted.seconds = atoi(*++argument);
    else if (strcmp(option, "report") == 0 && argument[1] != NULL)
      wanted.report = *++argument;
    else
      usage();
  }
  if (*argument == NULL) usage();
  return argument;
}

/* Finds a task by the kernel's number, or adds it: its own stop may be seen before its parent's. */
static struct task* task_of(pid_t pid) {
  struct task* unused = NULL;
  for (int i = 0; i < MOST_TASKS; i++) {
    if (tasks[i].pid == pid) return &tasks[i];
    if (tasks[i].pid == 0 && unused == NULL) unused = &tasks[i];
    if (tasks[i].pid == 0 && i > 64) break;
  }
  if (unused == NULL) die("inject: too many tasks");
  *unused = (struct task){.pid = pid, .tgid = pid};
  char path[64], line[128];
  snprintf(path, sizeof(path), "/proc/%d/status", pid);
  FILE* status = fopen(path, "re");
  while (status != NULL && fgets(line, sizeof(line), status) != NULL) sscanf(line, "Tgid: %d", &unused->tgid);
  if (status != NULL) fclose(status);
  return unused;
}

#if defined(__x86_64__)
static void change_call(pid_t pid, long number, int half_at) {
  struct user_regs_struct registers;
  struct iovec part = {&registers, sizeof(registers)};
  if (ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &part) != 0) return;
  registers.orig_rax = number;
  if (half_at >= 0) registers.rdx /= 2;
  ptrace(PTRACE_SETREGSET, pid, NT_PRSTATUS, &part);
}

static void change_result(pid_t pid, int error) {
  struct user_regs_struct registers;
  struct iovec part = {&registers, sizeof(registers)};
  if (ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &part) != 0) return;
  registers.rax = -error;
  ptrace(PTRACE_SETREGSET, pid, NT_PRSTATUS, &part);
}
#elif defined(__aarch64__)
static void change_call(pid_t pid, long number, int half_at) {
  int value = (int)number;
  struct iovec part = {&value, sizeof(value)};
  ptrace(PTRACE_SETREGSET, pid, NT_ARM_SYSTEM_CALL, &part);
  struct user_regs_struct registers;
  part = (struct iovec){&registers, sizeof(registers)};
  if (half_at < 0 || ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &part) != 0) return;
  registers.regs[2] /= 2;
  ptrace(PTRACE_SETREGSET, pid, NT_PRSTATUS, &part);
}

static void change_result(pid_t pid, int error) {
  struct user_regs_struct registers;
  struct iovec part = {&registers, sizeof(registers)};
  if (ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &part) != 0) return;
  registers.regs[0] = (unsigned long)-(long)error;
  ptrace(PTRACE_SETREGSET, pid, NT_PRSTATUS, &part);
}
#endif

/* Adds the argument to the report if it is the address of a text. */
static void add_text(pid_t pid, unsigned long address) {
  char text[96] = {0};
  struct iovec ours = {text, sizeof(text) - 1}, theirs = {(void*)address, sizeof(text) - 1};
  if (address < 4096 || process_vm_readv(pid, &ours, 1, &theirs, 1, 0) <= 0) return;
  size_t length = strnlen(text, sizeof(text) - 1);
  for (size_t i = 0; i < length; i++) {
    if (text[i] == '\n' || text[i] == '\t')
      text[i] = ' ';
    else if (text[i] < ' ' || text[i] > '~')
      return;
  }
  if (length == 0) return;
  strncat(fired, " ", sizeof(fired) - strlen(fired) - 1);
  strncat(fired, text, sizeof(fired) - strlen(fired) - 1);
}

static void fire(struct task* task, const struct ptrace_syscall_info* call) {
  has_fired = 1;
  snprintf(fired, sizeof(fired), "%d %s", task->tgid, name_of((long)call->entry.nr));
  add_text(task->pid, call->entry.args[0]);
  add_text(task->pid, call->entry.args[1]);
  switch (wanted.action) {
    case COUNT:
      break;
    case FAIL:
      task->error = wanted.error;
      /* Linux releases the descriptor before close may fail (close(2), "Dealing with error returns"). */
      if (call->entry.nr != SYS_close) change_call(task->pid, -1, -1);
      break;
    case SHORTEN:
      change_call(task->pid, (long)call->entry.nr, 2);
      break;
    case KILL_BEFORE:
      kill(task->tgid, SIGKILL);
      break;
    case KILL_AFTER:
      task->is_doomed = 1;
      break;
  }
}

static int is_counted(const struct task* task) {
  return has_started && !task->is_foreign && (task->tgid != command) == wanted.children;
}

/* Whether the task runs a file that is neither the command's own nor in memory, as a runtime's own programs are. */
static int runs_foreign_program(pid_t pid) {
  char path[64], ours[512] = "", its[512] = "";
  snprintf(path, sizeof(path), "/proc/%d/exe", command);
  if (readlink(path, ours, sizeof(ours) - 1) < 0) return 1;
  snprintf(path, sizeof(path), "/proc/%d/exe", pid);
  if (readlink(path, its, sizeof(its) - 1) < 0) return 1;
  return strcmp(ours, its) != 0 && strncmp(its, "/memfd:", 7) != 0;
}

static void at_call(struct task* task) {
  struct ptrace_syscall_info call;
  if (ptrace(PTRACE_GET_SYSCALL_INFO, task->pid, sizeof(call), &call) <= 0) return;
  if (call.op == PTRACE_SYSCALL_INFO_ENTRY) {
    long number = (long)call.entry.nr;
    task->last = number;
    if (!is_counted(task) || number < 0 || number >= MOST_CALLS) return;
    counts[number]++;
    if (wanted.action != COUNT && !has_fired && number == wanted.number && counts[number] == wanted.nth)
      fire(task, &call);
  } else if (call.op == PTRACE_SYSCALL_INFO_EXIT) {
    if (task->error != 0) change_result(task->pid, task->error);
    task->error = 0;
    if (task->is_doomed) kill(task->tgid, SIGKILL);
  }
}

/* Whether to follow a new task: one of the command, or a wanted child. Others continue untraced. */
static int is_ours(const struct task* task) { return wanted.children || task->tgid == command; }

static void go_on(struct task* task, int status) {
  int signal = WSTOPSIG(status), event = status >> 16, passed_on = 0;
  long request = PTRACE_SYSCALL;
  if (!task->known && !is_ours(task)) {
    ptrace(PTRACE_DETACH, task->pid, 0, 0);
    task->pid = 0;
    return;
  }
  task->known = 1;
  if (event == PTRACE_EVENT_STOP) {
    /* Keeps a stop of the group, as it would be without us. */
    if (signal != SIGTRAP) request = PTRACE_LISTEN;
  } else if (event == PTRACE_EVENT_EXEC) {
    if (task->pid == command)
      has_started = 1;
    else if (wanted.runtime)
      task->is_foreign = runs_foreign_program(task->pid);
  } else if (signal == (SIGTRAP | 0x80)) {
    at_call(task);
  } else if (event == 0) {
    passed_on = signal;
  }
  ptrace(request, task->pid, 0, passed_on);
}

static void on_alarm(int signal) {
  (void)signal;
  is_late = 1;
}

/* Follows until the command itself has ended; returns its exit code. */
static int follow(void) {
  for (;;) {
    int status;
    pid_t pid = waitpid(-1, &status, __WALL);
    if (is_late == 1) {
      is_late = 2;
      kill(command, SIGKILL);
    }
    if (pid < 0 && errno == EINTR) continue;
    if (pid < 0) die("inject: waitpid");
    struct task* task = task_of(pid);
    if (WIFSTOPPED(status)) {
      go_on(task, status);
      continue;
    }
    if (pid != command) {
      task->pid = 0;
      continue;
    }
    if (is_late) return 124;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
}

static void start(char** arguments) {
  int ready[2];
  if (pipe(ready) != 0) die("inject: pipe");
  command = fork();
  if (command < 0) die("inject: fork");
  if (command == 0) {
    char byte;
    close(ready[1]);
    if (read(ready[0], &byte, 1) != 1) _exit(125);
    close(ready[0]);
    execvp(arguments[0], arguments);
    perror(arguments[0]);
    _exit(127);
  }
  close(ready[0]);
  long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC;
  if (wanted.children) options |= PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK;
  if (ptrace(PTRACE_SEIZE, command, 0, options) != 0) die("inject: PTRACE_SEIZE");
  /* Asks for a first stop; otherwise there would be none before a call. */
  if (ptrace(PTRACE_INTERRUPT, command, 0, 0) != 0 || write(ready[1], "", 1) != 1) die("inject: start");
  close(ready[1]);
}

static void report(int code) {
  FILE* file = wanted.report == NULL ? stderr : fopen(wanted.report, "we");
  if (file == NULL) die(wanted.report);
  for (long i = 0; i < MOST_CALLS && wanted.action == COUNT; i++)
    if (counts[i] > 0) fprintf(file, "%s %ld\n", name_of(i), counts[i]);
  if (wanted.action != COUNT) fprintf(file, has_fired ? "fired %s\n" : "missed\n", fired);
  if (code == 124 && is_late) fprintf(file, "hang %s\n", name_of(task_of(command)->last));
  fclose(file);
}

int main(int count, char** arguments) {
  (void)count;
  char** program = read_options(arguments + 1);
  struct sigaction action = {.sa_handler = on_alarm};
  sigaction(SIGALRM, &action, NULL);
  start(program);
  alarm((unsigned)wanted.seconds);
  int code = follow();
  report(code);
  return code;
}
