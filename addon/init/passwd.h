#pragma once
#include "base.h"

namespace tsrun {

// Finds the home directory of uid in /etc/passwd inside the rootfs (passwd(5)); false when there is none.
bool home_of(uint64_t uid, char* home, size_t size);

// Finds a user by name, with its primary group; false when there is none.
bool find_user(const char* name, uint64_t* uid, uint64_t* gid);

// Finds a group by name in /etc/group (group(5)); false when there is none.
bool find_group(const char* name, uint64_t* gid);

}  // namespace tsrun
