/*
 * pin-program PATH [TYPE]: pins a program that allows everything, with the name of tsrun's device filters: of type
 * CGROUP_DEVICE, or of another with TYPE socket.
 */
#include <linux/bpf.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int count, char** values) {
  struct bpf_insn program[] = {{.code = 0xb7, .imm = 1}, {.code = 0x95}};
  union bpf_attr attributes;
  memset(&attributes, 0, sizeof(attributes));
  attributes.prog_type = count > 2 ? BPF_PROG_TYPE_SOCKET_FILTER : BPF_PROG_TYPE_CGROUP_DEVICE;
  attributes.insns = (uintptr_t)program;
  attributes.insn_cnt = 2;
  attributes.license = (uintptr_t) "Apache-2.0";
  strcpy(attributes.prog_name, "tsrun_devices");
  int fd = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &attributes, sizeof(attributes));
  if (fd < 0) return perror("load"), 1;
  memset(&attributes, 0, sizeof(attributes));
  attributes.pathname = (uintptr_t)values[1];
  attributes.bpf_fd = (uint32_t)fd;
  if (syscall(SYS_bpf, BPF_OBJ_PIN, &attributes, sizeof(attributes)) != 0) return perror("pin"), 1;
  return 0;
}
