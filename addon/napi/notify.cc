// Passes on what a container reports by sd_notify(3) to the service manager that started the runtime.
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>
#include <memory>

#include "../generated/functions.h"

namespace tsrun {

namespace {

// How long the service manager may take to answer BARRIER=1.
constexpr int barrier_timeout_ms = 5000;
// systemd does not read longer ones.
constexpr size_t longest_message = 4096;

struct Relay {
  // The container's socket, and one that is connected to the service manager's. Owned by the caller.
  int from;
  int to;
  int pidfd;
  pid_t pid;
  // Return after the first READY, for a command that does not stay.
  bool once;
};

// Fails silently: a service manager that is gone must not end the container.
void tell(int socket, const std::string& text, int passed = -1) {
  iovec part = {const_cast<char*>(text.data()), text.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr header = {};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  if (passed >= 0) {
    header.msg_control = control;
    header.msg_controllen = sizeof(control);
    cmsghdr* first = CMSG_FIRSTHDR(&header);
    first->cmsg_level = SOL_SOCKET;
    first->cmsg_type = SCM_RIGHTS;
    first->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(first), &passed, sizeof(int));
  }
  (void)sendmsg(socket, &header, MSG_NOSIGNAL);
}

// Waits until the service manager has read what it was sent (sd_notify_barrier(3)): once this process is gone, it
// cannot find out which unit a message came from.
void wait_for_barrier(int socket) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return;
  UniqueFd ours(ends[0]);
  tell(socket, "BARRIER=1", ends[1]);
  close(ends[1]);
  pollfd closed = {ours.get(), 0, 0};
  (void)poll(&closed, 1, barrier_timeout_ms);
}

// The fields that are passed on, as for any service. Not those that name processes or descriptors, which are different
// outside (MAINPID, FDSTORE), nor NOTIFYACCESS, which decides who else may send.
constexpr const char* passed_fields[] = {
    "READY=",       "RELOADING=",           "STOPPING=", "MONOTONIC_USEC=", "STATUS=", "ERRNO=", "BUSERROR=",
    "EXIT_STATUS=", "EXTEND_TIMEOUT_USEC=", "WATCHDOG=", "WATCHDOG_USEC="};

bool begins_with(const std::string& line, const char* field) { return line.compare(0, strlen(field), field) == 0; }

bool is_passed(const std::string& line) {
  for (const char* field : passed_fields) {
    if (begins_with(line, field)) return true;
  }
  return false;
}

// The lines of the message that are passed on; sets `ready` if READY is among them.
std::string passed_lines(const std::string& message, bool* ready) {
  std::string result;
  for (size_t start = 0; start < message.size();) {
    size_t end = message.find('\n', start);
    if (end == std::string::npos) end = message.size();
    std::string line = message.substr(start, end - start);
    if (is_passed(line)) result += line + "\n";
    if (begins_with(line, "READY=")) *ready = true;
    start = end + 1;
  }
  return result;
}

// Passes one message on; true if it was READY. There is no room for descriptors that come with it, so the kernel closes
// them: that answers the container's own BARRIER=1.
bool pass_on(const Relay& relay) {
  char text[longest_message];
  ssize_t got = recv(relay.from, text, sizeof(text), MSG_DONTWAIT);
  if (got <= 0) return false;
  bool ready = false;
  std::string lines = passed_lines(std::string(text, static_cast<size_t>(got)), &ready);
  if (lines.empty()) return false;
  if (ready) lines += "MAINPID=" + std::to_string(relay.pid) + "\n";
  tell(relay.to, lines);
  if (ready) wait_for_barrier(relay.to);
  return ready;
}

// Runs until the container ends, and passes on what it sent until then.
void run_relay(const Relay& relay) {
  for (;;) {
    pollfd events[] = {{relay.from, POLLIN, 0}, {relay.pidfd, POLLIN, 0}};
    if (poll(events, 2, -1) < 0) {
      if (errno == EINTR) continue;
      return;
    }
    if (events[0].revents != 0) {
      if (pass_on(relay) && relay.once) return;
    } else if (events[1].revents != 0) {
      return;
    }
  }
}

void* relay_thread(void* argument) {
  std::unique_ptr<Relay> relay(static_cast<Relay*>(argument));
  run_relay(*relay);
  return nullptr;
}

// The relay beside a container in the foreground: this process has at most one.
pthread_t background;
bool has_background = false;

// With all signals blocked: the main thread passes them on.
int start_background(const Relay& relay) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  Relay* own = new Relay(relay);
  int error = pthread_create(&background, nullptr, relay_thread, own);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (error != 0) delete own;
  has_background = error == 0;
  return error;
}

}  // namespace

Napi::Value js_notify_listen(const Napi::CallbackInfo& info) {
  NotifyListenArguments arguments(info);
  Napi::Env env = info.Env();
  const std::string& directory = arguments.directory;
  const std::string& name = arguments.name;
  UniqueFd place(open(directory.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (place.get() < 0) return throw_errno(env, errno, "open", directory);
  // By way of the directory's descriptor: a socket's path may have at most 107 bytes.
  std::string path = "/proc/self/fd/" + std::to_string(place.get()) + "/" + name;
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) return throw_errno(env, ENAMETOOLONG, "bind", name);
  memcpy(address.sun_path, path.c_str(), path.size());
  UniqueFd fd(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (fd.get() < 0) return throw_errno(env, errno, "socket");
  unlinkat(place.get(), name.c_str(), 0);
  if (bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
    return throw_errno(env, errno, "bind", name);
  }
  if (fchmodat(place.get(), name.c_str(), 0777, 0) != 0) return throw_errno(env, errno, "fchmodat", name);
  return Napi::Number::New(env, fd.release());
}

Napi::Value js_notify_connect(const Napi::CallbackInfo& info) {
  NotifyConnectArguments arguments(info);
  Napi::Env env = info.Env();
  const std::string& name = arguments.address;
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (name.empty() || name.size() >= sizeof(address.sun_path)) return throw_errno(env, EINVAL, "connect", name);
  memcpy(address.sun_path, name.c_str(), name.size());
  // An abstract socket.
  if (name[0] == '@') address.sun_path[0] = '\0';
  socklen_t size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
  UniqueFd fd(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (fd.get() < 0) return throw_errno(env, errno, "socket");
  if (connect(fd.get(), reinterpret_cast<sockaddr*>(&address), size) != 0) {
    return throw_errno(env, errno, "connect", name);
  }
  return Napi::Number::New(env, fd.release());
}

Napi::Value js_notify_relay(const Napi::CallbackInfo& info) {
  NotifyRelayArguments arguments(info);
  const NotifyRelay& between = arguments.relay;
  bool beside = arguments.background;
  Relay relay = {between.from, between.to, between.pidfd, between.pid, !beside};
  if (!beside) {
    run_relay(relay);
    return info.Env().Undefined();
  }
  int error = start_background(relay);
  return error == 0 ? info.Env().Undefined() : throw_errno(info.Env(), error, "pthread_create");
}

Napi::Value js_notify_finish(const Napi::CallbackInfo& info) {
  if (has_background) pthread_join(background, nullptr);
  has_background = false;
  return info.Env().Undefined();
}

}  // namespace tsrun
