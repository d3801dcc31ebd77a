// Variables that make Node load or run other code must not reach a root tool (NODE_OPTIONS and its like, and
// OPENSSL_CONF, by which Node's OpenSSL loads libraries; LD_PRELOAD and its like, by which the dynamic linker does),
// nor those that only slow its start down (NODE_EXTRA_CA_CERTS costs 60 ms).
#pragma once
#include <unistd.h>

#include <cstdlib>
#include <cstring>

namespace tsrun {

inline bool is_engine_variable(const char* entry) {
  constexpr const char* prefixes[] = {"NODE_", "OPENSSL_", "LD_"};
  for (const char* prefix : prefixes) {
    if (strncmp(entry, prefix, strlen(prefix)) == 0) return true;
  }
  return false;
}

// All variables with these prefixes belong to Node, to libraries in it, or to the dynamic linker (ld.so(8)).
inline void drop_engine_variables() {
  char** to = environ;
  for (char** from = environ; *from != nullptr; from++) {
    if (!is_engine_variable(*from)) *to++ = *from;
  }
  *to = nullptr;
}

}  // namespace tsrun
