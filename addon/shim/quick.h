// The two calls that containerd makes for each container, without Node, which takes 50 ms to start.
#pragma once
#include <string>

namespace tsrun {

struct Call {
  std::string action, address, name_space, bundle;
  // What containerd writes to stdin: options in protobuf.
  std::string options;
};

// Where the last start with the same address, namespace and options has left a link to its socket.
std::string link_of(const Call& call);

// `start`: whether a shim is there already, and stdout has its address.
bool quick_start(const Call& call);

// `delete`: whether there is nothing to clean up, and stdout has the answer.
bool quick_delete(const Call& call);

}  // namespace tsrun
