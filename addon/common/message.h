// What tsrun-init and the runtime say to each other over one SOCK_SEQPACKET socket pair, and tsrun-init and `start`
// over the exec socket:
//
//   runtime                               init
//      | -- clone3, execveat -------------> |
//      | -- kContinue --------------------> |  the Plan is there: ops …
//      | <------------------- kSync(index)  |  the Plan's next ops are the runtime's
//      |  ops …                             |
//      | -- kContinue --------------------> |  ops …
//      | <------------- kError(op, errno)   |  at any time; init ends
//      | <------ kDescriptor + SCM_RIGHTS   |  a terminal or a seccomp listener
//      | <------------ kNotice(op, errno)   |  an op took its fallback: for the log
//
//   start                                 init (in wait-start)
//      | -- connect ----------------------> |
//      | <------------------- kSync(index)  |  only the first to connect gets this
//      | -- kContinue --------------------> |  startContainer hooks (or kWaitOn: back to wait-start)
//      | <------------------------ kStarted |  execve comes next
//      | <------ kDescriptor + SCM_RIGHTS   |  a seccomp listener (addon/init/listener.cc)
//      | -- kContinue --------------------> |  the agent has it
//      | <------------- kError(op, errno)   |  a hook or execve failed; or
//      | <---------------------- end of file|  execve took the close-on-exec socket away: it runs
#pragma once
#include <cstdint>

namespace tsrun {

enum MessageType : uint32_t {
  kError = 1,
  kSync = 2,
  kDescriptor = 3,
  kStarted = 4,
  kPid = 5,
  kContinue = 6,
  kNotice = 7,
  kWaitOn = 8,
};

// In op_index: what failed was before the first op.
constexpr uint32_t kNoOp = 0xffffffff;

struct Message {
  uint32_t type;
  uint32_t op_index;
  int32_t error;     // errno, positive
  uint32_t value;    // by type and op: an exit status, a pid
  char detail[496];  // the failing path or the kernel's own words, NUL-terminated
};

static_assert(sizeof(Message) == 512, "src/run/message.ts reads this layout");

}  // namespace tsrun
