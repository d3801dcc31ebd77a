// Programs of the host.
#pragma once
#include <string>

namespace tsrun {

// Looks a name up on the PATH. Entries that count from the working directory (empty and relative ones) are passed over:
// that may be a place where others put files. Empty when there is no such program.
std::string find_program(const std::string& name);

}  // namespace tsrun
