// Shared by all ops of tsrun-init: the plan's strings, the context that one op leaves to the next, and reports.
#pragma once
#include <asm/errno.h>
#include <linux/fcntl.h>

#include "../common/message.h"
#include "../common/plan.h"
#include "../common/syscall.h"

extern "C" {
void* memcpy(void* to, const void* from, size_t size);
void* memmove(void* to, const void* from, size_t size);
void* memset(void* to, int value, size_t size);
}

namespace tsrun {

struct FilterHooksOp;

constexpr size_t kPathMax = 4096;

// State that one op leaves for a later one. Zero pages until used, so it costs nothing to keep it static.
struct Context {
  const char* plan;   // the mapped plan
  int sync_fd;        // to the runtime, until start
  int report_fd;      // where errors go: sync_fd, then the exec socket's connection
  uint32_t op_index;  // of the op that runs
  uint32_t value;     // reported with the errno of a failure
  int root_fd;        // the rootfs, O_PATH; after pivot-root the new root
  int old_root_fd;    // of a small mount namespace, below the rootfs; -1: the root is a host's
  int proc_fd;        // the private procfs
  int null_fd;        // a verified /dev/null for masks
  int mask_fd;        // the mounted empty tmpfs shared by masked directories
  int mount_fd;       // the mount in hand: made by one op, changed and attached by the next ones
  int oom_fd;         // own oom_score_adj while it is raised, else -1; -2 in a child that has not opened its own yet
  int64_t oom_value;  // the value to restore
  bool oom_reopens;   // whether a child of init may open its own
  int* kept_mounts;   // mounts kept by keep-mount, by number; 0: none
  uint64_t kept_count;
  bool through_link;  // there was a symlink in the path of the last directory that was made or found
  bool cwd_pending;   // entering cwd failed before set-user; try again as the user
  bool has_program;
  bool has_home;
  bool has_user;  // find-user found user and group
  uint64_t user;
  uint64_t group;
  uint64_t* trace;                   // two times for each op of the plan, shared with the runtime; or null
  bool filtered;                     // the seccomp filter is loaded: any call may fail or kill the process
  const FilterHooksOp* hook_filter;  // the filter that hooks load; null: none
  const char** arguments;            // of execve
  const char** environment;
  char detail[sizeof(Message::detail)];
  char cwd[kPathMax];
  char program[kPathMax];
  char home[kPathMax];  // "HOME=…"
};

extern Context ctx;

// Strings. A Str of the plan is NUL-terminated by the encoder, which refuses embedded NULs.
inline const char* text(Str value) { return value.offset == kAbsent ? nullptr : ctx.plan + value.offset; }
inline const Str* strings(List list) { return reinterpret_cast<const Str*>(ctx.plan + list.offset); }
inline const uint64_t* numbers(List list) { return reinterpret_cast<const uint64_t*>(ctx.plan + list.offset); }

size_t length(const char* s);
bool equal(const char* a, const char* b);
bool starts_with(const char* s, const char* prefix);
// Copies at most size-1 bytes and always terminates; false when it was cut.
bool copy(char* to, size_t size, const char* from);
bool append(char* to, size_t size, const char* from);
// Decimal digits of value into buffer (at least 24 bytes); returns the start inside it.
char* decimal(char* buffer, int64_t value);

// Remembers the failing path or the kernel's words for the report, and returns the error.
int fail(long error, const char* detail);

// Reports for the runtime's log what this op did instead after an errno. Not a failure.
void notice(int error, const char* what);

// Sends a message on report_fd, with a descriptor when fd >= 0.
int send(uint32_t type, int32_t error, uint32_t value, int fd = -1);
// Reports the error and ends init; where a seccomp filter forbids the report, the errno is the exit status.
[[noreturn]] void die(int error);
[[noreturn]] void quit(int status);

// Lets the runtime do its part, for which await_continue must wait; ends init if the runtime is gone.
void tell_runtime();
// Closes the descriptors that only the set-up needed: they must not stay open while the container waits.
void close_setup();

// Keeps other processes out of /proc/PID of this one. A change of IDs or of the user namespace sets the dumpable flag
// to the host's fs.suid_dumpable. If that is 1, other processes of the new user could trace this one, which still is
// the runtime's program with the runtime's descriptors (CVE-2016-9962).
int keep_tracers_out();

// Zeroed memory, or nullptr if there is none left.
void* map_pages(size_t size);

// Waits until the runtime says to go on; ends init if the runtime is gone.
void await_continue();
// What a start says, or kGone: it has ended without a word.
enum class Word { kGo, kWaitOn, kGone };

// Waits until start says something; with kGo, *fd is the descriptor that came with it, or -1.
Word await_start(int* fd);

// Maps the memory, shared with the runtime, for the times of the plan's ops. If that fails, no times are taken.
void map_trace(int fd);

inline int close_fd(int fd) { return static_cast<int>(sys(__NR_close, fd)); }

// Closes the descriptor at the end of the scope.
class Fd {
 public:
  explicit Fd(long fd = -1) : fd_(static_cast<int>(fd)) {}
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() {
    if (fd_ >= 0) close_fd(fd_);
  }
  int get() const { return fd_; }
  bool ok() const { return fd_ >= 0; }
  int error() const { return fd_; }
  void reset(long fd) {
    if (fd_ >= 0) close_fd(fd_);
    fd_ = static_cast<int>(fd);
  }
  int release() {
    int fd = fd_;
    fd_ = -1;
    return fd;
  }

 private:
  int fd_;
};

}  // namespace tsrun
