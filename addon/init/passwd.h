#pragma once
#include "base.h"

namespace tsrun {

// Finds the home directory of uid in /etc/passwd inside the rootfs (passwd(5)); false when there is none.
bool home_of(uint64_t uid, char* home, size_t size);

}  // namespace tsrun
