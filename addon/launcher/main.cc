// The command in its Node form: starts Node on build/tsrun.cjs. It does what must happen before Node starts:
//  - variables that are for Node or the dynamic linker do not reach them (common/engine_environment.h);
//  - what Node changes of what the caller handed over is noted before;
//  - it finds the checkout through any symlink, and Node without a PATH.
#include <unistd.h>

#include <climits>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "../common/caller.h"
#include "../common/engine_environment.h"

namespace {

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
  tsrun::drop_engine_variables();
  // As in the executable (addon/engine/main.cc). Node ignores SIGPIPE by itself.
  signal(SIGXFSZ, SIG_IGN);
  signal(SIGCHLD, SIG_DFL);
  remember_caller();
  return run_node(directory, count, values);
}
