// Which process the OOM killer kills: for the program what the config says, and init itself while it sets itself up. In
// a running container at its memory limit the main program is the largest process, and would be killed because of an
// exec.
#include <linux/capability.h>

#include "oom.h"
#include "ops.h"
#include "path.h"
#include "procfs.h"

namespace tsrun {

namespace {

// On the host's procfs, because nothing of the container exists yet. Opened before reset-process, which makes the
// process not dumpable and so the file root's.
constexpr const char* kPath = "/proc/self/oom_score_adj";
constexpr int64_t kHighest = 1000;
constexpr int kToReopen = -2;  // of ctx.oom_fd

int write_value(int fd, int64_t value) {
  char digits[24];
  const char* text = decimal(digits, value);
  long written = sys(__NR_write, fd, text, length(text));
  return written < 0 ? fail(written, kPath) : 0;
}

int64_t parse(const char* text) {
  bool negative = *text == '-';
  int64_t value = 0;
  for (const char* at = text + (negative ? 1 : 0); *at >= '0' && *at <= '9'; at++) value = value * 10 + (*at - '0');
  return negative ? -value : value;
}

// While CAP_SYS_RESOURCE is effective, the kernel takes a written value as the lowest that may be set without it. Then
// the program could not set what it may set otherwise, and init could not restore the value.
class WithoutResourceCapability {
 public:
  WithoutResourceCapability() {
    constexpr uint32_t kBit = 1u << CAP_SYS_RESOURCE;
    if (sys(__NR_capget, &header_, before_) < 0 || (before_[0].effective & kBit) == 0) return;
    __user_cap_data_struct without[2] = {before_[0], before_[1]};
    without[0].effective &= ~kBit;
    changed_ = sys(__NR_capset, &header_, without) == 0;
  }
  ~WithoutResourceCapability() {
    if (changed_) sys(__NR_capset, &header_, before_);
  }

 private:
  __user_cap_header_struct header_ = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct before_[2] = {};
  bool changed_ = false;
};

}  // namespace

int run(const SetOomScoreAdjOp& op) {
  Fd file(open_at(AT_FDCWD, kPath, O_WRONLY, 0));
  if (!file.ok()) return fail(file.error(), kPath);
  return write_value(file.get(), op.value);
}

int run(const PreferOomKillOp&) {
  Fd file(open_at(AT_FDCWD, kPath, O_RDWR, 0));
  char text[24] = "";
  // If that fails, nothing changes.
  if (!file.ok() || sys(__NR_read, file.get(), text, sizeof(text) - 1) <= 0) return 0;
  ctx.oom_value = parse(text);
  // The files of a process that is not dumpable belong to the root of the user namespace that init was started in.
  ctx.oom_reopens = sys(__NR_geteuid) == 0;
  WithoutResourceCapability dropped;
  if (write_value(file.get(), kHighest) == 0) ctx.oom_fd = file.release();
  return 0;
}

int keep_oom_score_adj_for_child() {
  if (ctx.oom_fd < 0) return 0;
  int error = ctx.oom_reopens ? 0 : write_value(ctx.oom_fd, ctx.oom_value);
  close_fd(ctx.oom_fd);
  ctx.oom_fd = ctx.oom_reopens ? kToReopen : -1;
  return error;
}

int reopen_oom_score_adj() {
  if (ctx.oom_fd != kToReopen) return 0;
  long fd = open_process_file(ctx.proc_fd, "oom_score_adj", O_WRONLY);
  ctx.oom_fd = static_cast<int>(fd);
  return fd < 0 ? static_cast<int>(fd) : 0;
}

int run(const RestoreOomScoreAdjOp&) {
  if (ctx.oom_fd < 0) return 0;
  int error = write_value(ctx.oom_fd, ctx.oom_value);
  close_fd(ctx.oom_fd);
  ctx.oom_fd = -1;
  return error;
}

}  // namespace tsrun
