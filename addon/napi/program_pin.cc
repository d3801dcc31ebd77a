// A loaded program, pinned in bpffs under the hash of its instructions: the verifier takes 0.3 ms, and nearly all
// containers have the same device filter.
//
// A pin is used only if nobody but root can have made it: only root can write to its directory and the one above, and
// both are on bpffs, so no other filesystem is mounted over them. And only if the kernel confirms that it is this
// program: by type, name, owner, its own hash of the instructions that were loaded, and by the instructions themselves
// where it shows them.
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "../common/sha.h"
#include "../generated/functions.h"
#include "bpf.h"

namespace tsrun {

namespace {

constexpr char kMount[] = "/sys/fs/bpf";
constexpr char kDirectory[] = "/sys/fs/bpf/tsrun";

bool is_bpffs(int fd) {
  struct statfs filesystem = {};
  return fstatfs(fd, &filesystem) == 0 && filesystem.f_type == BPF_FS_MAGIC;
}

int open_directory(int at, const char* name) { return openat(at, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC); }

// Nobody else can put something there, or replace what root has put there.
bool is_safe_parent(int fd) {
  struct stat status = {};
  if (!is_bpffs(fd) || fstat(fd, &status) != 0 || status.st_uid != 0) return false;
  return (status.st_mode & 022) == 0 || (status.st_mode & S_ISVTX) != 0;
}

bool is_roots_alone(int fd) {
  struct stat status = {};
  return is_bpffs(fd) && fstat(fd, &status) == 0 && status.st_uid == 0 && (status.st_mode & 07777) == 0700;
}

bool has_safe_directory() {
  if (geteuid() != 0) return false;
  UniqueFd mount(open_directory(AT_FDCWD, kMount));
  if (mount.get() < 0 || !is_safe_parent(mount.get())) return false;
  UniqueFd directory(open_directory(mount.get(), "tsrun"));
  if (directory.get() < 0 && errno == ENOENT && mkdirat(mount.get(), "tsrun", 0700) == 0) {
    directory.reset(open_directory(mount.get(), "tsrun"));
  }
  return directory.get() >= 0 && is_roots_alone(directory.get());
}

std::string hexadecimal(const std::string& bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (unsigned char byte : bytes) text += {kDigits[byte >> 4], kDigits[byte & 15]};
  return text;
}

bool is_tag(const bpf_prog_info& description, const std::string& hash) {
  return memcmp(description.tag, hash.data(), sizeof(description.tag)) == 0;
}

}  // namespace

ProgramPin::ProgramPin(std::string_view instructions) : instructions_(instructions) {
  if (!has_safe_directory()) return;
  hash_ = sha256(instructions);
  path_ = std::string(kDirectory) + "/devices-" + hexadecimal(hash_.substr(0, 16));
}

int ProgramPin::open() const {
  if (path_.empty()) return -1;
  bpf_attr attributes = {};
  attributes.pathname = reinterpret_cast<uint64_t>(path_.c_str());
  long opened = bpf(BPF_OBJ_GET, attributes);
  if (opened < 0) return -1;
  UniqueFd fd(static_cast<int>(opened));
  is_forged_ = !is_same(fd.get());
  return is_forged_ || has_other_instructions(fd.get()) ? -1 : fd.release();
}

// Needed because the kernel's hash has only eight bytes. A verifier or JIT may rewrite instructions
// (net.core.bpf_jit_harden), which is no forgery: such a program is not used, and nothing is reported.
bool ProgramPin::has_other_instructions(int fd) const {
  std::string translated(instructions_.size(), '\0');
  bpf_prog_info description = {};
  auto* room = reinterpret_cast<bpf_insn*>(translated.data());
  if (describe_program(fd, &description, room, translated.size()) < 0) return true;
  bool is_told = description.xlated_prog_len != 0 && description.xlated_prog_insns != 0;
  return is_told && (description.xlated_prog_len != instructions_.size() || translated != instructions_);
}

bool ProgramPin::is_same(int fd) const {
  bpf_prog_info description = {};
  // Fails for a map or a link.
  if (describe_program(fd, &description) < 0) return false;
  if (description.type != BPF_PROG_TYPE_CGROUP_DEVICE || description.created_by_uid != 0) return false;
  if (description.nr_map_ids != 0 || strcmp(description.name, kProgramName) != 0) return false;
  // The tag is the beginning of SHA-256 since Linux 6.18, and of SHA-1 before (bpf_prog_calc_tag).
  return is_tag(description, hash_) || is_tag(description, sha1(instructions_));
}

void ProgramPin::make(int program_fd) const {
  if (path_.empty() || is_forged_) return;
  bpf_attr attributes = {};
  attributes.pathname = reinterpret_cast<uint64_t>(path_.c_str());
  attributes.bpf_fd = static_cast<uint32_t>(program_fd);
  bpf(BPF_OBJ_PIN, attributes);
}

}  // namespace tsrun
