// Files of init's own directory in the private procfs, for ops outside ops_procfs.cc.
#pragma once
#include "base.h"

namespace tsrun {

// Writes a file of /proc/PID of this process; path counts from there. A size of 0 still makes the write call.
int write_own_file(const char* path, const char* value, size_t size);

}  // namespace tsrun
