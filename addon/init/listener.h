#pragma once
#include "base.h"

namespace tsrun {

// struct sock_fprog
struct FilterProgram {
  uint16_t length;  // in instructions
  const void* instructions;
};

// Loads a filter whose SCMP_ACT_NOTIFY calls go to a listener, and hands that listener to the runtime, whatever the
// filter forbids; returns when the runtime has passed it on. 0, or a negative errno when nothing was loaded.
int load_with_listener(const FilterProgram& program, uint64_t flags);

// Loads what filter-hooks has kept into this process, which is about to become a hook. 0 or a negative errno.
int load_hook_filter();

}  // namespace tsrun
