// What bpf.cc and program_pin.cc share.
#pragma once
#include <linux/bpf.h>

#include <string>
#include <string_view>

#include "../common/syscall.h"

namespace tsrun {

// This name distinguishes our program from those of others: systemd attaches one of its own to a unit.
constexpr char kProgramName[] = "tsrun_devices";

inline long bpf(bpf_cmd command, bpf_attr& attributes) {
  return sys(__NR_bpf, command, reinterpret_cast<long>(&attributes), sizeof(attributes));
}

// 0 or a negative errno. If there is room, also gets the instructions as the verifier has changed them. If the kernel
// withholds them from this process, it sets their address or their length to 0.
inline long describe_program(int fd, bpf_prog_info* description, bpf_insn* instructions = nullptr, size_t bytes = 0) {
  *description = {};
  description->xlated_prog_insns = reinterpret_cast<uint64_t>(instructions);
  description->xlated_prog_len = static_cast<uint32_t>(bytes);
  bpf_attr attributes = {};
  attributes.info.bpf_fd = static_cast<uint32_t>(fd);
  attributes.info.info_len = sizeof(*description);
  attributes.info.info = reinterpret_cast<uint64_t>(description);
  return bpf(BPF_OBJ_GET_INFO_BY_FD, attributes);
}

// A device program that many containers use, loaded only once: see program_pin.cc.
class ProgramPin {
 public:
  // There is no pin unless there is a directory that nobody else can write to.
  explicit ProgramPin(std::string_view instructions);
  // The program's descriptor; -1 if there is none, or if it is not this very program.
  int open() const;
  // Pins the program if possible: another command may be faster, and the filesystem may be full.
  void make(int program_fd) const;
  bool is_forged() const { return is_forged_; }

 private:
  bool is_same(int fd) const;
  bool has_other_instructions(int fd) const;

  std::string_view instructions_;
  std::string hash_;
  std::string path_;
  mutable bool is_forged_ = false;
};

}  // namespace tsrun
