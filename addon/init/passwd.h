#pragma once
#include "base.h"

namespace tsrun {

// All return 1 if they have found it, 0 if not, or the negative errno of a file that cannot be read.

// Finds the home directory of uid in /etc/passwd inside the rootfs (passwd(5)).
int home_of(uint64_t uid, char* home, size_t size);

// Finds a user by name, with its primary group.
int find_user(const char* name, uint64_t* uid, uint64_t* gid);

// Finds a group by name in /etc/group (group(5)).
int find_group(const char* name, uint64_t* gid);

}  // namespace tsrun
