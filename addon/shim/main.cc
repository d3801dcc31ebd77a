// containerd-shim-tsrun-v2, which containerd runs twice for each container. Where a shim runs already, or nothing is
// left to clean up, it answers at once; else it becomes Node with build/shim.mjs.
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "../common/engine_environment.h"
#include "quick.h"

namespace tsrun {

namespace {

constexpr size_t kMostOptions = 1 << 20;

bool is_switch(const std::string& flag) {
  return flag == "debug" || flag == "info" || flag == "v" || flag == "version";
}

// Go's package flag: -NAME VALUE or -NAME=VALUE, with one dash or two. False: Node is to say what is wrong.
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
      if (flag != "debug") return false;
      continue;
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

// build/Release/containerd-shim-tsrun-v2 -> build/shim.mjs
bool find_program(std::string& path) {
  char self[4096];
  ssize_t length = readlink("/proc/self/exe", self, sizeof(self));
  if (length <= 0 || length == sizeof(self)) return false;
  path.assign(self, static_cast<size_t>(length));
  for (int level = 0; level < 2; level++) path.erase(path.rfind('/'));
  path += "/shim.mjs";
  return true;
}

int become_node(char** words) {
  drop_engine_variables();
  std::string path;
  if (!find_program(path)) return fail("/proc/self/exe");
  std::string node = "node";
  // The first word is the program's own name.
  std::string arguments_of_node[] = {node, path};
  size_t count = 0;
  while (words[count] != nullptr) count++;
  char** all = new char*[count + 2];
  all[0] = arguments_of_node[0].data();
  all[1] = arguments_of_node[1].data();
  for (size_t i = 1; i <= count; i++) all[i + 1] = words[i];
  execvp(all[0], all);
  return fail("node, which this shim needs in PATH");
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
  return become_node(words);
}

}  // namespace

}  // namespace tsrun

int main(int count, char** words) { return tsrun::run(count, words); }
