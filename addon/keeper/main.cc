// tsrun-shim-keeper SOCKET PROGRAM...: listens on SOCKET for containerd, and passes what it hears on to an engine,
// which is PROGRAM. An engine that dies is started again, and gets the requests without an answer once more: for
// containerd the shim has never been away, and so it does not clean up. The keeper also gets the containers of a dead
// engine as its children. It is small and does little, so that nothing ends it but SIGKILL.
//
// The engine gets 3, a listening socket, and 4, the store's socket. It ends with 0 when the shim is to end.
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <memory>

#include "../common/init_name.h"
#include "log.h"
#include "pause.h"
#include "relay.h"
#include "store.h"

namespace tsrun {

namespace {

// Of what keeper and engine say to each other, for the engine's environment (src/shim/versions.ts).
constexpr const char* kVersion = "2";
// Inherited from `start`, which waits for a byte.
constexpr int kReady = 3;
// Above those that an engine gets.
constexpr int kFirstOwn = 10;
constexpr int64_t kShortLifeMs = 2000;
constexpr int kMostShortLives = 5;
// For how long an engine that has closed a connection may still be about to end.
constexpr int64_t kDoubtMs = 300;
// For how long nobody is let in when there was no descriptor for the last one.
constexpr int kFullMs = 200;
constexpr off_t kMostExits = 64 << 10;

int64_t now_ms() {
  timespec now = {};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * int64_t{1000} + now.tv_nsec / 1000000;
}

int above(int fd) {
  int moved = fcntl(fd, F_DUPFD_CLOEXEC, kFirstOwn);
  close(fd);
  return moved;
}

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  memcpy(address.sun_path, path.data(), std::min(path.size(), sizeof(address.sun_path) - 1));
  return address;
}

int listen_at(const std::string& path) {
  unlink(path.c_str());
  sockaddr_un address = address_of(path);
  int fd = above(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (fd < 0) return -1;
  if (bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0 && listen(fd, SOMAXCONN) == 0) return fd;
  close(fd);
  return -1;
}

int connect_to(const std::string& path) {
  sockaddr_un address = address_of(path);
  int fd = above(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (fd >= 0 && connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0) return fd;
  if (fd >= 0) close(fd);
  return -1;
}

// What proc_pid_stat(5) tells of a process that has ended, too.
struct Stat {
  unsigned long long start_time;
  bool is_init;
};

// The name, in parentheses, may have any character. Field 22 is the start time.
Stat stat_of(pid_t pid) {
  char path[64], text[1024];
  snprintf(path, sizeof(path), "/proc/%d/stat", pid);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
  if (fd >= 0) close(fd);
  if (got <= 0) return {};
  text[got] = '\0';
  const char *name = strchr(text, '('), *at = strrchr(text, ')');
  if (name == nullptr || at == nullptr) return {};
  Stat stat = {0, std::string(name + 1, at) == kInitName};
  for (int field = 2; at != nullptr && field < 22; field++) at = strchr(at + 1, ' ');
  if (at != nullptr) sscanf(at, "%llu", &stat.start_time);
  return stat;
}

class Keeper {
 public:
  Keeper(std::string socket, char** program) : socket_(std::move(socket)), program_(program) {}

  int run() {
    setenv("TSRUN_SHIM_KEEPER", kVersion, 1);
    raise_limit();
    listener_ = listen_at(socket_);
    if (listener_ < 0) return fail(socket_.c_str());
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGCHLD);
    sigprocmask(SIG_BLOCK, &signals, nullptr);
    ended_ = above(signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
    if (ended_ < 0 || !start_engine()) return fail("engine");
    if (write(kReady, "\n", 1) != 1) return fail("ready");
    close(kReady);
    while (code_ < 0) turn();
    return code_;
  }

 private:
  // The store has several descriptors of each container; the engine and its containers keep the limit of before.
  void raise_limit() {
    if (getrlimit(RLIMIT_NOFILE, &limit_) != 0) return;
    rlimit most = {limit_.rlim_max, limit_.rlim_max};
    setrlimit(RLIMIT_NOFILE, &most);
  }

  static int fail(const char* what) {
    fprintf(stderr, "tsrun-shim-keeper: %s: %s\n", what, strerror(errno));
    return 1;
  }

  void turn() {
    std::vector<pollfd> polled = {{ended_, POLLIN, 0}, {is_full_ ? -1 : listener_, POLLIN, 0}, {control_, POLLIN, 0}};
    for (const auto& each : relays_) each->add_to(polled);
    int timeout = is_full_ ? kFullMs : doubt_ > 0 ? static_cast<int>(kDoubtMs) : -1;
    is_full_ = false;
    if (poll(polled.data(), polled.size(), timeout) < 0) return;
    // What the engine has left here before its end is not to be missed.
    if (polled[2].revents != 0) store_.listen(control_);
    size_t at = 3;
    for (size_t i = 0; i < relays_.size(); at += 2) {
      if (relays_[i]->move(polled[at], polled[at + 1])) {
        i++;
      } else {
        relays_.erase(relays_.begin() + static_cast<ptrdiff_t>(i));
      }
    }
    if (polled[0].revents != 0) reap();
    close_cut();
    if (code_ < 0 && polled[1].revents != 0) accept_client();
  }

  void accept_client() {
    int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client >= 0) client = above(client);
    // It stays in the queue, and poll would report it again at once.
    is_full_ = client < 0 && errno != EAGAIN && errno != EINTR && errno != ECONNABORTED;
    if (client < 0) return;
    relays_.push_back(std::make_unique<Relay>(client));
    relays_.back()->attach(connect_to(engine_path()));
  }

  // An engine that lives on has refused the client.
  void close_cut() {
    bool any = false;
    for (const auto& each : relays_) any = any || each->is_cut();
    if (!any) {
      doubt_ = 0;
    } else if (doubt_ == 0) {
      doubt_ = now_ms();
    } else if (now_ms() - doubt_ >= kDoubtMs) {
      doubt_ = 0;
      for (size_t i = relays_.size(); i-- > 0;) {
        if (relays_[i]->is_cut()) relays_.erase(relays_.begin() + static_cast<ptrdiff_t>(i));
      }
    }
  }

  void reap() {
    signalfd_siginfo ignored;
    while (read(ended_, &ignored, sizeof(ignored)) > 0) continue;
    for (;;) {
      siginfo_t info = {};
      if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0) return;
      int status = info.si_code == CLD_EXITED ? info.si_status << 8 : info.si_status;
      // Noted first: the engine looks for a process that has been reaped here.
      if (info.si_pid != engine_) note_exit(info.si_pid, status);
      waitpid(info.si_pid, nullptr, 0);
      if (info.si_pid == engine_) engine_ended(status);
      if (code_ >= 0) return;
    }
  }

  void note_exit(pid_t pid, int status) {
    int fd = open((socket_ + ".exits").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0) return;
    struct stat now = {};
    if (fstat(fd, &now) == 0 && now.st_size > kMostExits && ftruncate(fd, 0) != 0) fail("exits");
    Stat stat = stat_of(pid);
    // One that still was tsrun's init has never been the program.
    dprintf(fd, "%d %llu %d %s\n", pid, stat.start_time, status, stat.is_init ? "init" : "program");
    close(fd);
  }

  void engine_ended(int status) {
    store_.listen(control_);
    close(control_);
    if (status == 0) {
      code_ = 0;
      return;
    }
    fprintf(stderr, "tsrun-shim-keeper: the engine has ended with wait status %d and is started again\n", status);
    short_lives_ = now_ms() - engine_start_ < kShortLifeMs ? short_lives_ + 1 : 0;
    if (short_lives_ > kMostShortLives || !start_engine()) {
      code_ = 1;
      return;
    }
    for (const auto& each : relays_) each->attach(connect_to(engine_path()));
  }

  std::string engine_path() const { return socket_ + ".engine"; }

  // A socket of its own for each: what waits in the last one's queue is sent again anyway.
  bool start_engine() {
    int ends[2];
    int listener = listen_at(engine_path());
    if (listener < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return false;
    control_ = above(ends[0]);
    int theirs = above(ends[1]);
    engine_start_ = now_ms();
    engine_ = fork();
    if (engine_ == 0) become_engine(listener, theirs);
    close(listener);
    close(theirs);
    if (engine_ < 0) return false;
    store_.hand_over(control_);
    return true;
  }

  [[noreturn]] void become_engine(int listener, int control) {
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    signal(SIGPIPE, SIG_DFL);
    signal(SIGHUP, SIG_DFL);
    umask(022);
    setrlimit(RLIMIT_NOFILE, &limit_);
    dup2(listener, 3);
    dup2(control, 4);
    execv(program_[0], program_);
    _exit(127);
  }

  const std::string socket_;
  char** const program_;
  int listener_ = -1, ended_ = -1, control_ = -1;
  pid_t engine_ = -1;
  rlimit limit_ = {};
  int64_t engine_start_ = 0, doubt_ = 0;
  int short_lives_ = 0;
  bool is_full_ = false;
  int code_ = -1;
  Store store_;
  std::vector<std::unique_ptr<Relay>> relays_;
};

}  // namespace

}  // namespace tsrun

int main(int count, char** arguments) {
  if (count == 2 && strcmp(arguments[1], "log") == 0) return tsrun::log_to_stdout();
  if (count == 2 && strcmp(arguments[1], "pause") == 0) return tsrun::pause_for_pod();
  if (count < 3) return 2;
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  signal(SIGPIPE, SIG_IGN);
  signal(SIGHUP, SIG_IGN);
  umask(077);
  return tsrun::Keeper(arguments[1], arguments + 2).run();
}
