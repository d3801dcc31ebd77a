// Files of a procfs by descriptor: what is opened is the kernel's, never something mounted over it.
#pragma once
#include "base.h"

namespace tsrun {

// /proc of the mount namespace we are in, verified to be the root of a procfs (CVE-2019-16884).
long open_host_procfs();
// Opens a file below a procfs; no symlink, mount or ".." can lead elsewhere.
long open_proc_file(int proc_fd, const char* path, uint64_t flags);
// Opens a file of this process's directory. The pid is read from that procfs, whose pid namespace may not be ours.
long open_process_file(int proc_fd, const char* name, uint64_t flags);
// Writes a file of this process's directory. A size of 0 still makes the write call.
int write_process_file(int proc_fd, const char* name, const char* value, size_t size);
// The same in the private procfs.
inline int write_own_file(const char* name, const char* value, size_t size) {
  return write_process_file(ctx.proc_fd, name, value, size);
}

}  // namespace tsrun
