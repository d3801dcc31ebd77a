// The device filter of a cgroup: a BPF_PROG_TYPE_CGROUP_DEVICE program (bpf(2)), replaced in place.
#include "bpf.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <mutex>

#include "../common/interrupts.h"
#include "../common/syscall.h"
#include "../generated/functions.h"

namespace tsrun {

namespace {

// As many programs as one cgroup may have (BPF_CGROUP_MAX_PROGS).
constexpr uint32_t kMostPrograms = 64;

// How often a load that a signal interrupts is tried.
constexpr int kMostLoads = 100;

long load_program(std::string_view instructions) {
  bpf_attr attributes = {};
  attributes.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
  attributes.insns = reinterpret_cast<uint64_t>(instructions.data());
  attributes.insn_cnt = static_cast<uint32_t>(instructions.size() / sizeof(bpf_insn));
  static const char license[] = "Apache-2.0";
  attributes.license = reinterpret_cast<uint64_t>(license);
  memcpy(attributes.prog_name, kProgramName, sizeof(kProgramName));
  // The verifier gives up with EAGAIN when a signal comes, SIGCONT included.
  long loaded = -EAGAIN;
  for (int tries = 0; loaded == -EAGAIN && tries < kMostLoads; tries++) loaded = bpf(BPF_PROG_LOAD, attributes);
  return loaded;
}

// Gets the ids of the device programs attached to this very cgroup.
long attached_programs(int cgroup_fd, std::vector<uint32_t>& ids) {
  ids.resize(kMostPrograms);
  bpf_attr attributes = {};
  attributes.query.target_fd = static_cast<uint32_t>(cgroup_fd);
  attributes.query.attach_type = BPF_CGROUP_DEVICE;
  attributes.query.prog_ids = reinterpret_cast<uint64_t>(ids.data());
  attributes.query.prog_cnt = kMostPrograms;
  long result = bpf(BPF_PROG_QUERY, attributes);
  ids.resize(result < 0 ? 0 : attributes.query.prog_cnt);
  return result;
}

// Opens the program if it is one of ours; else -1.
int open_ours(uint32_t id) {
  bpf_attr attributes = {};
  attributes.prog_id = id;
  long opened = bpf(BPF_PROG_GET_FD_BY_ID, attributes);
  if (opened < 0) return -1;
  UniqueFd fd(static_cast<int>(opened));
  bpf_prog_info description = {};
  if (describe_program(fd.get(), &description) < 0) return -1;
  return strcmp(description.name, kProgramName) == 0 ? fd.release() : -1;
}

// Whether a shared program is already attached here: the kernel refuses the same one twice.
bool is_among(int program_fd, const std::vector<uint32_t>& ids) {
  if (ids.empty()) return false;
  bpf_prog_info description = {};
  if (describe_program(program_fd, &description) < 0) return false;
  return std::find(ids.begin(), ids.end(), description.id) != ids.end();
}

long attach(int cgroup_fd, int program_fd, int replaced_fd) {
  bpf_attr attributes = {};
  attributes.target_fd = static_cast<uint32_t>(cgroup_fd);
  attributes.attach_bpf_fd = static_cast<uint32_t>(program_fd);
  attributes.attach_type = BPF_CGROUP_DEVICE;
  // All attached programs must allow an access, so a program beside or below this one can only forbid more.
  attributes.attach_flags = BPF_F_ALLOW_MULTI;
  if (replaced_fd >= 0) {
    attributes.attach_flags |= BPF_F_REPLACE;
    attributes.replace_bpf_fd = static_cast<uint32_t>(replaced_fd);
  }
  return bpf(BPF_PROG_ATTACH, attributes);
}

// Of a program that uses the library: the shared program that its last container got, which most others get, too. A
// command ends after one container.
class KeptProgram {
 public:
  // A new descriptor of it; -1 where it is another program, or there is none.
  int open(std::string_view instructions) {
    std::lock_guard<std::mutex> guard(mutex_);
    return fd_.get() >= 0 && instructions == instructions_ ? fcntl(fd_.get(), F_DUPFD_CLOEXEC, kAboveStdio) : -1;
  }

  // Best effort: descriptors may be used up.
  void keep(std::string_view instructions, int fd) {
    std::lock_guard<std::mutex> guard(mutex_);
    fd_.reset(fcntl(fd, F_DUPFD_CLOEXEC, kAboveStdio));
    instructions_ = instructions;
  }

 private:
  static constexpr int kAboveStdio = 3;
  std::mutex mutex_;
  std::string instructions_;
  UniqueFd fd_;
};

KeptProgram kept_program;

// The program that others have loaded; else a new one.
long shared_program(std::string_view instructions, bool* is_forged) {
  ProgramPin pin(instructions);
  int pinned = pin.open();
  *is_forged = pin.is_forged();
  if (pinned >= 0) return pinned;
  long loaded = load_program(instructions);
  if (loaded >= 0) pin.make(static_cast<int>(loaded));
  return loaded;
}

long program_of(std::string_view instructions, bool shared, bool* is_forged) {
  if (!shared) return load_program(instructions);
  if (!has_own_interrupts()) return shared_program(instructions, is_forged);
  int kept = kept_program.open(instructions);
  if (kept >= 0) return kept;
  long opened = shared_program(instructions, is_forged);
  if (opened >= 0) kept_program.keep(instructions, static_cast<int>(opened));
  return opened;
}

}  // namespace

// Replacing a filter leaves no moment without one.
Napi::Value js_filter_devices(const Napi::CallbackInfo& info) {
  FilterDevicesArguments arguments(info);
  Napi::Env env = info.Env();
  int cgroup_fd = arguments.cgroup_fd;
  std::string_view instructions(reinterpret_cast<const char*>(arguments.instructions.Data()),
                                arguments.instructions.ByteLength());
  bool is_forged = false;
  long loaded = program_of(instructions, arguments.shared, &is_forged);
  if (loaded < 0) return throw_errno(env, static_cast<int>(-loaded), "bpf(BPF_PROG_LOAD)");
  UniqueFd program(static_cast<int>(loaded));
  std::vector<uint32_t> ids;
  long queried = attached_programs(cgroup_fd, ids);
  if (queried < 0) return throw_errno(env, static_cast<int>(-queried), "bpf(BPF_PROG_QUERY)");
  if (is_among(program.get(), ids)) return Napi::Boolean::New(env, !is_forged);
  UniqueFd ours;
  for (size_t i = 0; i < ids.size() && ours.get() < 0; i++) ours.reset(open_ours(ids[i]));
  long attached = attach(cgroup_fd, program.get(), ours.get());
  if (attached < 0) return throw_errno(env, static_cast<int>(-attached), "bpf(BPF_PROG_ATTACH)");
  return Napi::Boolean::New(env, !is_forged);
}

}  // namespace tsrun
