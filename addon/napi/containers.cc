// What `list` shows of a living container whose record is as tsrun writes it, for thousands of them in one call. All
// else is left to the code that knows every case (src/container/state.ts).
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <charconv>

#include "../common/json_members.h"
#include "../generated/functions.h"

namespace tsrun {

namespace {

// Fewer containers are looked at faster than a thread starts.
constexpr size_t kWorthThread = 64;
// A record has about 1 KiB; one that is longer is not read here.
constexpr size_t kMaxRecord = 32 * 1024;

constexpr size_t kFields = 8;
enum Field { kOciVersion, kStatus, kPid, kBundle, kRootfs, kCreated, kAnnotations, kOwner };
constexpr std::string_view kNames[kFields] = {"ociVersion",  "",     "", "bundle", "rootfs", "created",
                                              "annotations", "owner"};

struct Seen {
  std::string id;
  // False: only the other code can tell.
  bool known = false;
  std::string fields[kFields];
};

// The bytes of a small file; 0 if it cannot be read, or has more.
std::string_view read_small(const std::string& path, char* buffer, size_t size) {
  UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  ssize_t got = fd.get() < 0 ? -1 : read(fd.get(), buffer, size);
  return got <= 0 || static_cast<size_t>(got) == size ? std::string_view() : std::string_view(buffer, got);
}

bool is_ascii(std::string_view text) {
  unsigned char all = 0;
  for (char c : text) all |= static_cast<unsigned char>(c);
  return all < 0x80;
}

// A string without its quotes; false for one with an escape, and for anything else.
bool plain_string(std::string_view value, std::string* text) {
  if (value.size() < 2 || value[0] != '"' || value.find('\\') != std::string_view::npos) return false;
  *text = value.substr(1, value.size() - 2);
  return true;
}

bool whole_number(std::string_view value, uint64_t* number) {
  auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), *number);
  return error == std::errc() && end == value.data() + value.size();
}

struct Process {
  uint64_t pid = 0, start_time = 0;
};

bool process_of(std::string_view value, Process* process) {
  bool good = true;
  bool whole = JsonMembers(value).each([&](std::string_view name, std::string_view inner) {
    if (name == "pid") good = good && whole_number(inner, &process->pid);
    if (name == "startTime") good = good && whole_number(inner, &process->start_time);
  });
  // 0: /proc hid it when it was noted.
  return whole && good && process->pid != 0 && process->start_time != 0;
}

struct Record {
  Process init;
  std::string cgroup;
};

bool parse_record(std::string_view text, Seen* seen, Record* record) {
  std::string_view version, id, phase, init, cgroup, fields[kFields];
  bool escaped = false;
  bool whole = JsonMembers(text).each([&](std::string_view name, std::string_view value) {
    escaped = escaped || name.find('\\') != std::string_view::npos;
    if (name == "version") version = value;
    if (name == "id") id = value;
    if (name == "phase") phase = value;
    if (name == "init") init = value;
    if (name == "cgroup") cgroup = value;
    for (size_t i = 0; i < kFields; i++) {
      if (name == kNames[i]) fields[i] = value;
    }
  });
  if (!whole || escaped || version != "1" || id != "\"" + seen->id + "\"" || phase != "\"created\"") return false;
  for (Field field : {kOciVersion, kBundle, kRootfs, kCreated, kOwner}) {
    if (!plain_string(fields[field], &seen->fields[field])) return false;
  }
  seen->fields[kAnnotations] = fields[kAnnotations];
  bool object = !fields[kAnnotations].empty() && fields[kAnnotations][0] == '{';
  return object && plain_string(cgroup, &record->cgroup) && process_of(init, &record->init);
}

// By proc_pid_stat(5): whether exactly this process exists and has not ended.
bool is_alive(const Process& process) {
  char buffer[1024];
  std::string_view stat = read_small("/proc/" + std::to_string(process.pid) + "/stat", buffer, sizeof(buffer));
  // The name is in parentheses and may have any character.
  size_t at = stat.rfind(')');
  if (at == std::string_view::npos || at + 2 >= stat.size()) return false;
  stat.remove_prefix(at + 2);
  char state = stat[0];
  constexpr int kBeforeStartTime = 19;
  for (int i = 0; i < kBeforeStartTime; i++) {
    at = stat.find(' ');
    if (at == std::string_view::npos) return false;
    stat.remove_prefix(at + 1);
  }
  uint64_t start_time;
  bool whole = whole_number(stat.substr(0, stat.find(' ')), &start_time);
  return whole && start_time == process.start_time && state != 'Z' && state != 'X';
}

// Of the cgroup; false when that cannot be read.
bool read_frozen(const std::string& cgroup, bool* frozen) {
  char buffer[256];
  std::string_view events = read_small(cgroup + "/cgroup.events", buffer, sizeof(buffer));
  *frozen = events.find("frozen 1\n") != std::string_view::npos;
  return !events.empty();
}

struct Task {
  const std::string& root;
  const std::string& file;
  const std::string& socket;
  uid_t user;
  std::vector<Seen>& seen;
  std::atomic<size_t> next = 0;

  void run() {
    for (size_t at = next++; at < seen.size(); at = next++) seen[at].known = look(&seen[at]);
  }

  // In the order of statusOf in src/container/state.ts.
  bool look(Seen* one) const {
    char buffer[kMaxRecord];
    struct stat status = {};
    const std::string directory = root + "/" + one->id;
    if (lstat(directory.c_str(), &status) != 0) return false;
    if (!S_ISDIR(status.st_mode) || status.st_uid != user) return false;
    std::string_view text = read_small(directory + "/" + file, buffer, sizeof(buffer));
    Record record;
    if (text.empty() || !is_ascii(text) || !parse_record(text, one, &record)) return false;
    bool waits = stat((directory + "/" + socket).c_str(), &status) == 0;
    if (!waits && errno != ENOENT) return false;
    bool frozen;
    if (!is_alive(record.init) || !read_frozen(record.cgroup, &frozen)) return false;
    one->fields[kStatus] = frozen ? "paused" : waits ? "created" : "running";
    one->fields[kPid] = std::to_string(record.init.pid);
    return true;
  }
};

bool has_two_processors() {
  cpu_set_t set;
  return sched_getaffinity(0, sizeof(set), &set) == 0 && CPU_COUNT(&set) > 1;
}

// Nearly all of it is system calls, which two processors make in half the time.
void look_at_all(Task& task) {
  pthread_t thread;
  auto run = [](void* data) -> void* {
    static_cast<Task*>(data)->run();
    return nullptr;
  };
  bool helped =
      task.seen.size() >= kWorthThread && has_two_processors() && pthread_create(&thread, nullptr, run, &task) == 0;
  task.run();
  if (helped) pthread_join(thread, nullptr);
}

// Some filesystems do not say what an entry is.
bool is_directory(int parent, const dirent& entry) {
  struct stat status = {};
  if (entry.d_type != DT_UNKNOWN) return entry.d_type == DT_DIR;
  return fstatat(parent, entry.d_name, &status, AT_SYMLINK_NOFOLLOW) != 0 || S_ISDIR(status.st_mode);
}

// Of all directories; 0 or an errno.
int ids_in(const std::string& root, std::vector<Seen>* seen) {
  DIR* directory = opendir(root.c_str());
  if (directory == nullptr) return errno;
  int error = 0;
  for (;;) {
    // The end sets no errno.
    errno = 0;
    dirent* entry = readdir(directory);
    error = errno;
    if (entry == nullptr) break;
    std::string_view name = entry->d_name;
    if (name == "." || name == ".." || !is_directory(dirfd(directory), *entry)) continue;
    seen->emplace_back();
    seen->back().id = name;
  }
  closedir(directory);
  return error;
}

}  // namespace

Napi::Value js_look_at_containers(const Napi::CallbackInfo& info) {
  LookAtContainersArguments arguments(info);
  Napi::Env env = info.Env();
  std::vector<Seen> seen;
  int error = ids_in(arguments.root, &seen);
  if (error != 0) return throw_errno(env, error, "getdents", arguments.root);
  std::sort(seen.begin(), seen.end(), [](const Seen& a, const Seen& b) { return a.id < b.id; });
  Task task = {arguments.root, arguments.file, arguments.socket, geteuid(), seen};
  look_at_all(task);
  Napi::Array result = Napi::Array::New(env, seen.size() * (1 + kFields));
  const std::string nothing;
  const std::string* last[kFields] = {};
  Napi::Value made[kFields];
  uint32_t at = 0;
  for (const Seen& each : seen) {
    {
      Napi::HandleScope scope(env);
      result.Set(at++, each.id);
    }
    for (uint32_t i = 0; i < kFields; i++) {
      // Most containers have the same owner, status and version, and no annotations.
      const std::string& text = each.known ? each.fields[i] : nothing;
      if (last[i] == nullptr || *last[i] != text) {
        last[i] = &text;
        made[i] = Napi::String::New(env, text);
      }
      result.Set(at++, made[i]);
    }
  }
  return result;
}

}  // namespace tsrun
