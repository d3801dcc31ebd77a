// `tsrun-shim-keeper log`: the log program of file: URIs (src/shim/logger.ts). It copies the container's output, as the
// file itself would let the container change what it has logged.
#pragma once

namespace tsrun {

// Copies from 3 and 4, as containerd's log programs have them, to stdout until both have ended.
int log_to_stdout();

}  // namespace tsrun
