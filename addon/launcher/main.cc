// The command in its Node form: starts Node on build/tsrun.cjs. It does what must happen before Node starts: -
// variables that make Node load or run other code must not reach a root tool (NODE_OPTIONS and its like, and
//    OPENSSL_CONF, by which Node's OpenSSL loads libraries; LD_PRELOAD and its like, by which the dynamic linker does),
//    nor those that only slow its start down (NODE_EXTRA_CA_CERTS costs 60 ms);
//  - what Node changes of what the caller handed over is noted before;
//  - it finds the checkout through any symlink, and Node without a PATH.
#include <unistd.h>

#include <climits>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "../common/caller.h"

namespace {

bool is_engine_variable(const char* entry) {
  constexpr const char* prefixes[] = {"NODE_", "OPENSSL_", "LD_"};
  for (const char* prefix : prefixes) {
    if (strncmp(entry, prefix, strlen(prefix)) == 0) return true;
  }
  return false;
}

// All variables with these prefixes belong to Node, to libraries in it, or to the dynamic linker (ld.so(8)).
void drop_engine_variables() {
  char** to = environ;
  for (char** from = environ; *from != nullptr; from++) {
    if (!is_engine_variable(*from)) *to++ = *from;
  }
  *to = nullptr;
}

// Cuts `levels` components off the end of a path.
bool ancestor(char* path, int levels) {
  for (; levels > 0; levels--) {
    char* slash = strrchr(path, '/');
    if (slash == nullptr) return false;
    *slash = 0;
  }
  return true;
}

// Starts Node on the bundle of the checkout that `directory` (build/Release) is part of.
int run_node(char* directory, int count, char** values) {
  if (!ancestor(directory, 1)) return 1;
  char bundle[PATH_MAX + 32];
  snprintf(bundle, sizeof(bundle), "%s/tsrun.cjs", directory);
  char** arguments = static_cast<char**>(calloc(count + 2, sizeof(char*)));
  if (arguments == nullptr) return 1;
  arguments[0] = values[0];
  arguments[1] = bundle;
  for (int i = 1; i < count; i++) arguments[i + 1] = values[i];
  execv(TSRUN_NODE, arguments);
  // The build's Node is not there, because tsrun was moved to another machine: look in PATH.
  execvp("node", arguments);
  fprintf(stderr, "tsrun: cannot start node (tried %s and PATH): %m\n", TSRUN_NODE);
  return 1;
}

}  // namespace

int main(int count, char** values) {
  if (is_privileged_file()) return refuse_privileged_file();
  char directory[PATH_MAX];
  ssize_t size = readlink("/proc/self/exe", directory, sizeof(directory) - 1);
  if (size <= 0) {
    fputs("tsrun: cannot read /proc/self/exe: is /proc mounted?\n", stderr);
    return 1;
  }
  directory[size] = 0;
  if (!ancestor(directory, 1)) return 1;
  drop_engine_variables();
  // As in the executable (addon/engine/main.cc). Node ignores SIGPIPE by itself.
  signal(SIGXFSZ, SIG_IGN);
  signal(SIGCHLD, SIG_DFL);
  remember_caller();
  return run_node(directory, count, values);
}
