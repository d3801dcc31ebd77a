// The command: starts the JavaScript, which is tsrun-js beside this program (build/standalone) or else Node on
// build/tsrun.cjs. It exists for what must happen before the engine's own start:
//  - variables that make an engine load or run other code must not reach a root tool (NODE_OPTIONS, BUN_OPTIONS and
//    their like, and OPENSSL_CONF, by which Node's OpenSSL loads libraries), nor those that only slow its start down
//    (NODE_EXTRA_CA_CERTS costs 60 ms);
//  - Node raises the soft RLIMIT_NOFILE; the container is to get the caller's, so the caller's is handed on;
//  - it finds the checkout through any symlink, and Node without a PATH.
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

bool is_engine_variable(const char* entry) {
  constexpr const char* prefixes[] = {"NODE_", "BUN_", "JSC_", "OPENSSL_"};
  for (const char* prefix : prefixes) {
    if (strncmp(entry, prefix, strlen(prefix)) == 0) return true;
  }
  return false;
}

// All variables with these prefixes are the engines' own, or of libraries in them.
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

void remember_nofile() {
  rlimit limit = {};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  char value[32];
  snprintf(value, sizeof(value), "%llu", static_cast<unsigned long long>(limit.rlim_cur));
  setenv("TSRUN_NOFILE", value, 1);
}

// A command ends before compiled code could pay for its compiler: the interpreter alone takes a third less CPU time
// (docs/performance.md), and a collector thread only gets in the way.
void tune_bun() {
  setenv("BUN_JSC_useJIT", "0", 1);
  setenv("BUN_JSC_useConcurrentGC", "0", 1);
}

// How many descriptors from 3 on the caller left open: once the engine has its own, nobody can tell them apart.
void remember_descriptors() {
  int fd = 3;
  while (fcntl(fd, F_GETFD) >= 0) fd++;
  char value[16];
  snprintf(value, sizeof(value), "%d", fd - 3);
  setenv("TSRUN_FDS", value, 1);
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
  // Built with one Node and moved to a machine with another: look where Node usually is.
  execvp("node", arguments);
  fprintf(stderr, "tsrun: cannot start node (tried %s and PATH): %m\n", TSRUN_NODE);
  return 1;
}

}  // namespace

int main(int count, char** values) {
  char directory[PATH_MAX];
  ssize_t size = readlink("/proc/self/exe", directory, sizeof(directory) - 1);
  if (size <= 0) {
    fputs("tsrun: cannot read /proc/self/exe: is /proc mounted?\n", stderr);
    return 1;
  }
  directory[size] = 0;
  if (!ancestor(directory, 1)) return 1;
  drop_engine_variables();
  remember_nofile();
  remember_descriptors();

  char path[PATH_MAX + 32];
  snprintf(path, sizeof(path), "%s/tsrun-js", directory);
  values[0] = const_cast<char*>("tsrun");
  if (access(path, X_OK) == 0) {
    tune_bun();
    execv(path, values);
  }
  return run_node(directory, count, values);
}
