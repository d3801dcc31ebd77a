// A mount namespace that begins with one mount in place of all of the host's, which the kernel would copy first and
// then take away again: with thousands of mounts that takes longer than the rest of a container's start.
#pragma once
#include "base.h"

namespace tsrun {

// The tree that enter-small-mounts has opened for the clone-tree op that runs, or the errno of opening it. kNotOpened:
// the op opens it itself.
constexpr long kNotOpened = 0;
long opened_tree();

}  // namespace tsrun
