// Which process the OOM killer takes.
#pragma once

namespace tsrun {

// To be called before init goes on in a child, which has the value, and whose file is another. Sets the value back
// where the child could not open that file.
int keep_oom_score_adj_for_child();

// Opens the child's file, after a procfs of init's own is there, and before it may be another user.
int reopen_oom_score_adj();

}  // namespace tsrun
