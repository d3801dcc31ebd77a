// Which process the OOM killer kills.
#pragma once

namespace tsrun {

// Call it before init goes on in a child, which inherits the value but has a file of its own. Restores the value if the
// child could not open that file.
int keep_oom_score_adj_for_child();

// Opens the child's file: once init has a procfs of its own, and before it changes its user.
int reopen_oom_score_adj();

}  // namespace tsrun
