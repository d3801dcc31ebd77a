/* The kernel's own part of a default `run`: the same namespaces, mounts, pivot_root, cgroup and exec as a container
 * made from `tsrun spec`, with no configuration, no checks and no state. What a runtime takes beyond this is its own.
 * usage: floor ROOTFS CGROUP-DIRECTORY PROGRAM */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

static void need(long result, const char *what) {
  if (result >= 0) return;
  perror(what);
  _exit(1);
}

static void mount_default(void) {
  need(mount("proc", "proc", "proc", 0, NULL), "proc");
  need(mount("tmpfs", "dev", "tmpfs", MS_NOSUID | MS_STRICTATIME, "mode=755,size=65536k"), "dev");
  mkdir("dev/pts", 0755), mkdir("dev/shm", 0755), mkdir("dev/mqueue", 0755);
  need(mount("devpts", "dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620,gid=5"), "pts");
  need(mount("shm", "dev/shm", "tmpfs", MS_NOSUID | MS_NOEXEC | MS_NODEV, "mode=1777,size=65536k"), "shm");
  need(mount("mqueue", "dev/mqueue", "mqueue", MS_NOSUID | MS_NOEXEC | MS_NODEV, NULL), "mqueue");
  need(mount("sysfs", "sys", "sysfs", MS_NOSUID | MS_NOEXEC | MS_NODEV | MS_RDONLY, NULL), "sys");
  need(mount("cgroup", "sys/fs/cgroup", "cgroup2", MS_NOSUID | MS_NOEXEC | MS_NODEV | MS_RDONLY, NULL), "cgroup");
}

static void make_devices(void) {
  static const struct { const char *path; int major, minor; } devices[] = {
      {"dev/null", 1, 3}, {"dev/zero", 1, 5}, {"dev/full", 1, 7}, {"dev/random", 1, 8}, {"dev/urandom", 1, 9}, {"dev/tty", 5, 0}};
  umask(0);
  for (size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++) {
    need(mknod(devices[i].path, S_IFCHR | 0666, makedev(devices[i].major, devices[i].minor)), devices[i].path);
  }
}

static void protect(void) {
  static const char *const readonly[] = {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"};
  static const char *const files[] = {"/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/timer_list"};
  for (size_t i = 0; i < sizeof(readonly) / sizeof(readonly[0]); i++) {
    if (mount(readonly[i], readonly[i], NULL, MS_BIND | MS_REC, NULL) != 0) continue;
    mount(NULL, readonly[i], NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL);
  }
  for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) mount("/dev/null", files[i], NULL, MS_BIND, NULL);
  mount("tmpfs", "/proc/acpi", "tmpfs", MS_RDONLY, NULL);
  mount("tmpfs", "/sys/firmware", "tmpfs", MS_RDONLY, NULL);
}

static void contained(const char *rootfs, char *const *program) {
  need(unshare(CLONE_NEWCGROUP), "unshare");
  need(sethostname("floor", 5), "sethostname");
  need(mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL), "propagation");
  need(mount(rootfs, rootfs, NULL, MS_BIND | MS_REC, NULL), "bind");
  need(chdir(rootfs), "chdir");
  mount_default();
  make_devices();
  need(syscall(SYS_pivot_root, ".", "."), "pivot_root");
  need(umount2(".", MNT_DETACH), "umount");
  need(chdir("/"), "chdir");
  protect();
  need(mount(NULL, "/", NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL), "readonly root");
  need(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs");
  execv(program[0], program);
  need(-1, program[0]);
}

int main(int argc, char **argv) {
  if (argc < 4) return 2;
  need(mkdir(argv[2], 0755), argv[2]);
  int cgroup = open(argv[2], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  need(cgroup, argv[2]);
  struct clone_args how = {
      .flags = CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNS | CLONE_INTO_CGROUP,
      .exit_signal = SIGCHLD,
      .cgroup = cgroup,
  };
  pid_t pid = syscall(SYS_clone3, &how, sizeof(how));
  need(pid, "clone3");
  if (pid == 0) contained(argv[1], argv + 3);
  int status;
  need(waitpid(pid, &status, 0), "waitpid");
  while (rmdir(argv[2]) != 0) usleep(200);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
