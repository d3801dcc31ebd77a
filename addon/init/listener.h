#pragma once
#include "base.h"

namespace tsrun {

// struct sock_fprog
struct FilterProgram {
  uint16_t length;  // in instructions
  const void* instructions;
};

// Loads a filter that has SCMP_ACT_NOTIFY and gives its listener to the runtime, whatever the filter forbids. Returns 0
// once the runtime has passed the listener on, or a negative errno if nothing was loaded.
int load_with_listener(const FilterProgram& program, uint64_t flags);

// Loads the filter that filter-hooks has kept, if any, into this process, which is about to become a hook. 0 or a
// negative errno.
int load_hook_filter();

}  // namespace tsrun
