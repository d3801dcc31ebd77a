// The command: starts Node on build/tsrun.cjs. It exists for what must happen before Node's own start:
//  - variables that make Node load or run other code must not reach a root tool (NODE_OPTIONS and its like), nor those
//    that only slow its start down (NODE_EXTRA_CA_CERTS costs 60 ms);
//  - Node raises the soft RLIMIT_NOFILE; the container is to get the caller's, so the caller's is handed on;
//  - it finds the checkout through any symlink, and Node without a PATH.
#include <sys/resource.h>
#include <unistd.h>

#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

// Removes every NODE_* variable; all of them are Node's own.
void drop_node_variables() {
  char** to = environ;
  for (char** from = environ; *from != nullptr; from++) {
    if (strncmp(*from, "NODE_", 5) != 0) *to++ = *from;
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

void remember_nofile() {
  rlimit limit = {};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  char value[32];
  snprintf(value, sizeof(value), "%llu", static_cast<unsigned long long>(limit.rlim_cur));
  setenv("TSRUN_NOFILE", value, 1);
}

}  // namespace

int main(int count, char** values) {
  char bundle[PATH_MAX + 32];
  ssize_t size = readlink("/proc/self/exe", bundle, PATH_MAX);
  if (size <= 0) {
    fputs("tsrun: cannot read /proc/self/exe: is /proc mounted?\n", stderr);
    return 1;
  }
  bundle[size] = 0;
  if (!ancestor(bundle, 2)) return 1;
  strcat(bundle, "/tsrun.cjs");

  char** arguments = static_cast<char**>(calloc(count + 4, sizeof(char*)));
  if (arguments == nullptr) return 1;
  int at = 0;
  arguments[at++] = const_cast<char*>("tsrun");
  arguments[at++] = bundle;
  for (int i = 1; i < count; i++) arguments[at++] = values[i];

  drop_node_variables();
  remember_nofile();
  execv(TSRUN_NODE, arguments);
  // Built with one Node and moved to a machine with another: look where Node usually is.
  execvp("node", arguments);
  fprintf(stderr, "tsrun: cannot start node (tried %s and PATH): %m\n", TSRUN_NODE);
  return 1;
}
