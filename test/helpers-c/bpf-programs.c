/*
 * bpf-programs: prints how many device programs (BPF_PROG_TYPE_CGROUP_DEVICE) bpf(2) lists, including those of other
 * containers on this machine.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int bpf(enum bpf_cmd command, union bpf_attr* attributes) {
  return (int)syscall(SYS_bpf, command, attributes, sizeof(*attributes));
}

static int is_device_program(unsigned id) {
  union bpf_attr attributes;
  memset(&attributes, 0, sizeof(attributes));
  attributes.prog_id = id;
  int fd = bpf(BPF_PROG_GET_FD_BY_ID, &attributes);
  if (fd < 0) return 0;
  struct bpf_prog_info info;
  memset(&info, 0, sizeof(info));
  memset(&attributes, 0, sizeof(attributes));
  attributes.info.bpf_fd = (uint32_t)fd;
  attributes.info.info_len = sizeof(info);
  attributes.info.info = (uintptr_t)&info;
  int got = bpf(BPF_OBJ_GET_INFO_BY_FD, &attributes);
  close(fd);
  return got == 0 && info.type == BPF_PROG_TYPE_CGROUP_DEVICE;
}

int main(void) {
  union bpf_attr attributes;
  unsigned id = 0;
  int count = 0;
  for (;;) {
    memset(&attributes, 0, sizeof(attributes));
    attributes.start_id = id;
    if (bpf(BPF_PROG_GET_NEXT_ID, &attributes) != 0) break;
    id = attributes.next_id;
    count += is_device_program(id);
  }
  if (errno != ENOENT) return perror("bpf"), 1;
  printf("%d\n", count);
  return 0;
}
