// Which process the OOM killer takes.
#pragma once

namespace tsrun {

// To be called where init goes on in a child: that has the value, and its file is another.
void forget_oom_score_adj_file();

// Opens the child's file, after a procfs of init's own is there, and before it may be another user.
int reopen_oom_score_adj();

}  // namespace tsrun
