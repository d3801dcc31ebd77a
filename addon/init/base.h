// What every op of tsrun-init uses: strings of the plan, the context ops hand on to one another, and reporting.
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
  uint32_t value;     // goes into the report of a failure beside the errno
  int root_fd;        // the rootfs, O_PATH; after pivot-root the new root
  int proc_fd;        // the private procfs
  int null_fd;        // a verified /dev/null for masks
  int mask_fd;        // the mounted empty tmpfs shared by masked directories
  int mount_fd;       // the mount in hand: made by one op, changed and attached by the next ones
  int oom_fd;         // own oom_score_adj while it is raised, else -1; -2 in a child that has not opened its own yet
  int64_t oom_value;  // what it is to be again
  bool oom_reopens;   // whether a child of init may open its own
  int* kept_mounts;   // by number, what keep-mount has kept; 0 is none
  uint64_t kept_count;
  bool through_link;  // a symlink was on the way to the last directory that was made or found
  bool cwd_pending;   // entering cwd failed before set-user; try again as the user
  bool has_program;
  bool has_home;
  bool has_user;  // find-user found user and group
  uint64_t user;
  uint64_t group;
  uint64_t* trace;                   // two times for each op of the plan, shared with the runtime; or null
  bool filtered;                     // the seccomp filter is loaded: it may forbid any call, or end the process for it
  const FilterHooksOp* hook_filter;  // what hooks are to load; null is none
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

// Remembers the failing path or the kernel's words for the report, and passes the error on.
int fail(long error, const char* detail);

// Tells the runtime of something that is no failure, for its log: what an errno made this op do instead.
void notice(int error, const char* what);

// Sends a message on report_fd, with a descriptor when fd >= 0.
int send(uint32_t type, int32_t error, uint32_t value, int fd = -1);
// Reports the error and ends init; where a seccomp filter forbids the report, the errno is the exit status.
[[noreturn]] void die(int error);
[[noreturn]] void quit(int status);

// Hands over to the runtime and waits for its word; ends init when the runtime is gone.
void sync_with_runtime();

// Keeps /proc/PID of this process shut. A change of IDs or of the user namespace sets the dumpable flag to the host's
// fs.suid_dumpable: with 1, others of that user could trace what is still the runtime's program, with the runtime's
// descriptors (CVE-2016-9962).
int keep_tracers_out();

// Zeroed memory; nullptr when there is none.
void* map_pages(size_t size);

// Waits for the runtime's word; without a runtime there is no container.
void await_continue();
// Waits for the word of a start, and gives the descriptor that came with it, or -1. False: another start will come.
bool await_start(int* fd);

// Shared memory for the times of the plan's ops; without it they are not taken.
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
