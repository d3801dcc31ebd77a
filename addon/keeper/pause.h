// `tsrun-shim-keeper pause`: the program of the container that holds a pod's namespaces (src/shim/pod).
#pragma once

namespace tsrun {

// Reaps what becomes its child, as the first process of a pod's pid namespace, until SIGTERM or SIGINT.
int pause_for_pod();

}  // namespace tsrun
