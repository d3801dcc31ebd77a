#pragma once

namespace tsrun {

// What tsrun-init calls itself (src/host/processes.ts). No program's name has a slash, so by this one a process is
// recognised that has not reached execve.
constexpr const char* kInitName = "tsrun/init";

}  // namespace tsrun
