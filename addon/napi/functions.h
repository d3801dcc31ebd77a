// Every function of the addon; src/addon.ts declares the same with types and docs.
#pragma once
#include "convert.h"

namespace tsrun {

// Those that open a shared library (addon/libraries). The standalone executable is linked statically, which starts it
// sooner, and has a program of its own do these (addon/engine/library_calls.cc).
#define TSRUN_LIBRARY_FUNCTIONS(X) \
  X("systemdCall", systemd_call)   \
  X("systemdProperty", systemd_property)

#define TSRUN_FUNCTIONS(X)                     \
  X("startInit", start_init)                   \
  X("awaitInit", await_init)                   \
  X("socketPair", socket_pair)                 \
  X("sendMessage", send_message)               \
  X("receiveMessage", receive_message)         \
  X("listen", listen_at)                       \
  X("connect", connect_to)                     \
  X("writePlan", write_plan)                   \
  X("memfd", make_memfd)                       \
  X("pidfdOpen", pidfd_open_pid)               \
  X("pidfdInode", pidfd_inode)                 \
  X("pidfdSignal", pidfd_signal)               \
  X("pidfdWait", pidfd_wait)                   \
  X("isChild", is_child)                       \
  X("reap", reap)                              \
  X("waitForeground", wait_foreground)         \
  X("holdSignals", hold_signals)               \
  X("catchInterrupts", catch_interrupts)       \
  X("settleInterrupts", settle_interrupts_now) \
  X("interruptedBy", interrupted_by)           \
  X("runHook", run_hook)                       \
  X("runProgram", run_program)                 \
  X("startService", start_service)             \
  X("duplicate", duplicate_fd)                 \
  X("lock", lock_file)                         \
  X("namespaceType", namespace_type)           \
  X("netlinkOpen", netlink_open)               \
  X("netlinkRequest", netlink_request)         \
  X("readFile", read_file)                     \
  X("writeFile", write_file)                   \
  X("open", open_file)                         \
  X("close", close_file)                       \
  X("readAt", read_at)                         \
  X("writeAt", write_at)                       \
  X("truncate", truncate_file)                 \
  X("makeDirectory", make_directory)           \
  X("removeDirectory", remove_directory)       \
  X("unlink", unlink_file)                     \
  X("rename", rename_file)                     \
  X("symlink", symlink_file)                   \
  X("sync", sync_file)                         \
  X("chown", chown_file)                       \
  X("readLink", read_link)                     \
  X("stat", stat_file)                         \
  X("readDirectory", read_directory)           \
  X("directoriesWith", directories_with)       \
  X("filesystemType", filesystem_type)         \
  X("seccompFlags", seccomp_flags)             \
  X("compileSeccomp", compile_seccomp)         \
  X("libseccompVersion", libseccomp_version)   \
  X("syscallNames", syscall_names)             \
  X("tryFilesystem", try_filesystem)           \
  X("checksum", checksum)                      \
  X("hasPlainKeys", has_plain_keys)            \
  X("filterDevices", filter_devices)           \
  X("pollPriority", poll_priority)             \
  X("setScheduler", set_scheduler)             \
  X("setIoPriority", set_io_priority)          \
  X("setOwnCpuAffinity", set_own_cpu_affinity) \
  X("openTree", open_tree_at)                  \
  X("mapTree", map_tree)                       \
  X("makeUserNamespace", make_user_namespace)  \
  X("exitInfo", exit_info)                     \
  X("startThawGuard", start_thaw_guard)        \
  X("endThawGuard", end_thaw_guard)            \
  X("monotonicTime", monotonic_time)           \
  X("loadTime", load_time)                     \
  X("notifyListen", notify_listen)             \
  X("notifyConnect", notify_connect)           \
  X("notifyRelay", notify_relay)               \
  X("notifyFinish", notify_finish)             \
  TSRUN_LIBRARY_FUNCTIONS(X)

#define TSRUN_DECLARE(name, function) Napi::Value function(const Napi::CallbackInfo& info);
TSRUN_FUNCTIONS(TSRUN_DECLARE)
#undef TSRUN_DECLARE

}  // namespace tsrun
