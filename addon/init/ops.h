// One function per op of the table: int run(const XOp&), 0 or a negative errno; ops_*.cc hold them by section.
#pragma once
#include "../generated/ops.h"

namespace tsrun {

#define TSRUN_DECLARE(Name) int run(const Name##Op& op);
TSRUN_INIT_OPS(TSRUN_DECLARE)
#undef TSRUN_DECLARE

}  // namespace tsrun
