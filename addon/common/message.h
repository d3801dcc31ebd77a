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
//      | -- kContinue --------------------> |  startContainer hooks (or kWaitOn: back to wait-start,
//      |                                     |  as with the op's `again` when start is gone)
//      | <------------------------ kStarted |  execve comes next
//      | <------ kDescriptor + SCM_RIGHTS   |  a seccomp listener (addon/init/listener.cc)
//      | -- kContinue --------------------> |  the agent has it
//      | <------------- kError(op, errno)   |  a hook or execve failed; or
//      | <---------------------- end of file|  execve took the close-on-exec socket away: it runs
//
// A `run` has no exec socket: kContinue comes once more over the runtime's own, and the rest is as with start.
#pragma once
#include "../generated/message.h"
