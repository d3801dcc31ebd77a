// Programs of the host.
#pragma once
#include <string>

namespace tsrun {

// Looks a name up in PATH. Empty and relative entries are skipped: they mean the working directory, where others may
// put files. Empty if there is no such program.
std::string find_program(const std::string& name);

}  // namespace tsrun
