// containerd-shim-tsrun-v2, which containerd runs twice for each container. Where a shim runs already, or nothing is
// left to clean up, it answers at once; else it becomes Node with build/shim.mjs.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "../common/engine_environment.h"
#include "quick.h"

namespace tsrun {

namespace {

constexpr size_t kMostOptions = 1 << 20;
constexpr const char* kVersion = "-v";

bool is_switch(const std::string& flag) {
  return flag == "debug" || flag == "info" || flag == "v" || flag == "version";
}

// Go's package flag: -NAME VALUE or -NAME=VALUE, with one dash or two. False: there is no quick answer, and Node is to
// say what is wrong.
bool parse(int count, char** words, Call& call) {
  for (int i = 1; i < count; i++) {
    std::string word = words[i];
    if (word[0] != '-') {
      call.action = word;
      return i + 1 == count;
    }
    word.erase(0, word.compare(0, 2, "--") == 0 ? 2 : 1);
    size_t equals = word.find('=');
    std::string flag = word.substr(0, equals), value;
    if (is_switch(flag)) {
      if (flag == "debug") continue;
      if (flag != "info") call.action = kVersion;
      return false;
    }
    if (equals != std::string::npos) {
      value = word.substr(equals + 1);
    } else if (++i < count) {
      value = words[i];
    }
    if (flag == "address") call.address = value;
    if (flag == "namespace") call.name_space = value;
    if (flag == "bundle") call.bundle = value;
  }
  return false;
}

std::string read_options() {
  std::string all;
  char part[4096];
  while (!isatty(STDIN_FILENO) && all.size() < kMostOptions) {
    ssize_t got = read(STDIN_FILENO, part, sizeof(part));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    all.append(part, static_cast<size_t>(got));
  }
  return all;
}

// Node finds them on stdin again.
bool give_back(const std::string& options) {
  int fd = memfd_create("options", MFD_CLOEXEC);
  if (fd < 0 || write(fd, options.data(), options.size()) != static_cast<ssize_t>(options.size())) return false;
  return lseek(fd, 0, SEEK_SET) == 0 && dup2(fd, STDIN_FILENO) == 0;
}

int fail(const char* what) {
  fprintf(stderr, "containerd-shim-tsrun-v2: %s: %s\n", what, strerror(errno));
  return 1;
}

// DIRECTORY/Release/containerd-shim-tsrun-v2 -> DIRECTORY/shim.mjs. In the npm package, the programs for ARM are one
// level further down. Prints what is wrong.
bool find_program(std::string& path) {
  char self[4096];
  ssize_t length = readlink("/proc/self/exe", self, sizeof(self));
  if (length <= 0 || length == sizeof(self)) return fail("/proc/self/exe") == 0;
  std::string directory(self, static_cast<size_t>(length));
  size_t end = directory.rfind('/');
  for (int level = 0; level < 3 && end != std::string::npos; level++) {
    directory.erase(end);
    path = directory + "/shim.mjs";
    if (level > 0 && access(path.c_str(), R_OK) == 0) return true;
    end = directory.rfind('/');
  }
  fprintf(stderr,
          "containerd-shim-tsrun-v2: %.*s has been moved away from its other files, such as ../shim.mjs: put a link to "
          "it there instead\n",
          static_cast<int>(length), self);
  return false;
}

// Any Node can read this, but only one that is new enough what is in shim.mjs.
constexpr const char* kBegin =
    "const { node } = process.versions;"
    "if (parseInt(node) >= 20) import(require('url').pathToFileURL(process.argv[1]));"
    "else {"
    "  console.error(`containerd-shim-tsrun-v2: Node ${node} (${process.execPath}) is too old: it needs 20 or later`);"
    "  process.exitCode = 1;"
    "}";

int without_node() {
  if (errno != ENOENT) return fail("node");
  const char* path = getenv("PATH");
  fprintf(stderr,
          "containerd-shim-tsrun-v2: there is no node in PATH (%s): it needs Node 20 or later; install it, or put a "
          "link to it into one of these directories\n",
          path == nullptr ? "" : path);
  return 1;
}

int become_node(char** words) {
  drop_engine_variables();
  std::string path;
  if (!find_program(path)) return 1;
  std::string of_node[] = {"node", "-e", kBegin, path};
  std::vector<char*> all;
  for (std::string& each : of_node) all.push_back(each.data());
  // The first word is the program's own name; the last is null.
  for (size_t i = 1; all.back() != nullptr; i++) all.push_back(words[i]);
  execvp(all[0], all.data());
  return without_node();
}

// The build leaves it in the first line of each bundle: `// tsrun VERSION (COMMIT)`.
int print_version() {
  constexpr const char* kBefore = "// tsrun ";
  std::string path;
  if (!find_program(path)) return 1;
  char line[256] = {};
  int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0 || read(fd, line, sizeof(line) - 1) < 0) return fail(path.c_str());
  close(fd);
  line[strcspn(line, "\n")] = '\0';
  bool is_ours = strncmp(line, kBefore, strlen(kBefore)) == 0;
  printf("containerd-shim-tsrun-v2 %s\n", is_ours ? line + strlen(kBefore) : "unknown");
  return 0;
}

int run(int count, char** words) {
  Call call;
  if (parse(count, words, call)) {
    if (call.action == "delete" && quick_delete(call)) return 0;
    if (call.action == "start") {
      call.options = read_options();
      if (quick_start(call)) return 0;
      if (!give_back(call.options)) return fail("options");
      setenv("TSRUN_SHIM_LINK", link_of(call).c_str(), 1);
    }
  }
  if (call.action == kVersion) return print_version();
  return become_node(words);
}

}  // namespace

}  // namespace tsrun

int main(int count, char** words) { return tsrun::run(count, words); }
