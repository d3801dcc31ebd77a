/*
 * attributes [set]: writes to /attributes what the kernel says of this process, one `name value` a line, again and
 * again; with `set` it first changes all that a process may change of itself.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/mempolicy.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* linux/ioprio.h */
enum { of_process = 1, class_shift = 13, best_effort = 2 };

static void write_to(const char* path, const char* text) {
  int fd = open(path, O_WRONLY);
  if (fd < 0) return;
  if (write(fd, text, strlen(text)) < 0) perror(path);
  close(fd);
}

static void set_all(void) {
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  CPU_SET(0, &cpus);
  sched_setaffinity(0, sizeof(cpus), &cpus);
  syscall(SYS_ioprio_set, of_process, 0, best_effort << class_shift | 6);
  struct sched_param none = {0};
  sched_setscheduler(0, SCHED_BATCH, &none);
  setpriority(PRIO_PROCESS, 0, 5);
  write_to("/proc/self/oom_score_adj", "300");
  write_to("/proc/self/coredump_filter", "0x7f");
  personality(ADDR_NO_RANDOMIZE);
  unsigned long node = 1;
  syscall(SYS_set_mempolicy, MPOL_BIND, &node, 8 * sizeof(node));
  prctl(PR_SET_TIMERSLACK, 123456);
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  prctl(PR_SET_PDEATHSIG, SIGUSR1);
  prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
  prctl(PR_SET_NAME, "renamed");
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  umask(027);
  struct rlimit files = {100, 200};
  setrlimit(RLIMIT_NOFILE, &files);
}

static const char* line_of(const char* path, const char* name) {
  static char line[4096];
  FILE* file = fopen(path, "r");
  size_t length = strlen(name);
  while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
    if (strncmp(line, name, length) != 0) continue;
    fclose(file);
    line[strcspn(line, "\n")] = 0;
    const char* rest = line + length;
    return rest + strspn(rest, ": \t");
  }
  if (file != NULL) fclose(file);
  return "-";
}

static void tell(FILE* out) {
  static const char* const fields[] = {
      "Name",   "Umask",  "Uid",    "Gid",        "Groups",  "CapInh",          "CapPrm",
      "CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp", "Seccomp_filters", "Cpus_allowed_list"};
  for (size_t at = 0; at < sizeof(fields) / sizeof(*fields); at++)
    fprintf(out, "%s %s\n", fields[at], line_of("/proc/self/status", fields[at]));
  static const char* const files[] = {"oom_score_adj", "coredump_filter", "personality", "attr/current",
                                      "timens_offsets"};
  for (size_t at = 0; at < sizeof(files) / sizeof(*files); at++) {
    char path[64];
    snprintf(path, sizeof(path), "/proc/self/%s", files[at]);
    fprintf(out, "%s %s\n", files[at], line_of(path, ""));
  }
  fprintf(out, "nice %d\n", getpriority(PRIO_PROCESS, 0));
  fprintf(out, "scheduler %d\n", sched_getscheduler(0));
  fprintf(out, "ioprio %ld\n", syscall(SYS_ioprio_get, of_process, 0));
  static const char* const parameters[] = {"kernel/hostname",
                                           "kernel/domainname",
                                           "kernel/msgmax",
                                           "fs/mqueue/msg_max",
                                           "net/ipv4/ip_unprivileged_port_start",
                                           "net/ipv4/ip_forward",
                                           "net/ipv4/ping_group_range",
                                           "net/core/somaxconn"};
  for (size_t at = 0; at < sizeof(parameters) / sizeof(*parameters); at++) {
    char path[80];
    snprintf(path, sizeof(path), "/proc/sys/%s", parameters[at]);
    fprintf(out, "sysctl:%s %s\n", parameters[at], line_of(path, ""));
  }
  int mode = -1;
  unsigned long nodes[16] = {0};
  syscall(SYS_get_mempolicy, &mode, nodes, 8 * sizeof(nodes), NULL, 0);
  fprintf(out, "mempolicy %d:%lx\n", mode, nodes[0]);
  fprintf(out, "timerslack %d\n", prctl(PR_GET_TIMERSLACK));
  int value = -1;
  prctl(PR_GET_CHILD_SUBREAPER, &value);
  fprintf(out, "subreaper %d\n", value);
  prctl(PR_GET_PDEATHSIG, &value);
  fprintf(out, "pdeathsig %d\n", value);
  fprintf(out, "dumpable %d\n", prctl(PR_GET_DUMPABLE));
  fprintf(out, "keepcaps %d\n", prctl(PR_GET_KEEPCAPS));
  fprintf(out, "securebits %x\n", prctl(PR_GET_SECUREBITS));
  fprintf(out, "thp_disable %d\n", prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0));
  for (int each = 0; each < RLIM_NLIMITS; each++) {
    struct rlimit limit;
    getrlimit(each, &limit);
    fprintf(out, "rlimit%d %lld:%lld\n", each, (long long)limit.rlim_cur, (long long)limit.rlim_max);
  }
}

int main(int argc, char** argv) {
  if (argc > 1 && strcmp(argv[1], "set") == 0) set_all();
  struct timespec moment = {0, 20000000};
  for (long count = 1;; count++) {
    FILE* out = fopen("/attributes.new", "w");
    if (out == NULL) return 1;
    tell(out);
    fprintf(out, "count %ld\n", count);
    fclose(out);
    rename("/attributes.new", "/attributes");
    nanosleep(&moment, NULL);
  }
}
