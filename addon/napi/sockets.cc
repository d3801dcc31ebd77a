// Sockets with tsrun-init and others: messages that may carry one descriptor.
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

#include "../common/interrupts.h"
#include "../generated/functions.h"

namespace tsrun {

namespace {

// A socket's path may have at most 107 bytes; by way of its directory's descriptor it may have any length.
class SocketAddress {
 public:
  SocketAddress(const std::string& directory, const std::string& name) {
    directory_.reset(open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (directory_.get() < 0) return;
    address_.sun_family = AF_UNIX;
    int size =
        snprintf(address_.sun_path, sizeof(address_.sun_path), "/proc/self/fd/%d/%s", directory_.get(), name.c_str());
    fits_ = size > 0 && static_cast<size_t>(size) < sizeof(address_.sun_path);
    if (!fits_) errno = ENAMETOOLONG;
  }
  bool ok() const { return directory_.get() >= 0 && fits_; }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&address_); }
  static constexpr socklen_t size = sizeof(sockaddr_un);

 private:
  UniqueFd directory_;
  sockaddr_un address_ = {};
  bool fits_ = false;
};

int receive(int fd, void* data, size_t size, int* passed) {
  iovec part = {data, size};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))];
  msghdr header = {};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control;
  // Room for exactly one descriptor: the padding that CMSG_SPACE counts has room for a second, which would stay open.
  header.msg_controllen = CMSG_LEN(sizeof(int));
  ssize_t got;
  do {
    got = recvmsg(fd, &header, MSG_CMSG_CLOEXEC);
  } while (got < 0 && errno == EINTR);
  cmsghdr* first = got < 0 ? nullptr : CMSG_FIRSTHDR(&header);
  if (first != nullptr && first->cmsg_level == SOL_SOCKET && first->cmsg_type == SCM_RIGHTS) {
    memcpy(passed, CMSG_DATA(first), sizeof(int));
  }
  return static_cast<int>(got);
}

}  // namespace

Napi::Value js_socket_pair(const Napi::CallbackInfo& info) {
  int fds[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) != 0)
    return throw_errno(info.Env(), errno, "socketpair");
  Napi::Array result = Napi::Array::New(info.Env(), 2);
  result.Set(0u, fds[0]);
  result.Set(1u, fds[1]);
  return result;
}

Napi::Value js_send_message(const Napi::CallbackInfo& info) {
  SendMessageArguments arguments(info);
  Napi::Uint8Array& bytes = arguments.bytes;
  int passed = arguments.fd.value_or(-1);
  iovec part = {bytes.Data(), bytes.ByteLength()};
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
  int socket = arguments.socket;
  ssize_t put;
  do {
    put = sendmsg(socket, &header, MSG_NOSIGNAL);
  } while (put < 0 && errno == EINTR);
  int error = put < 0 ? errno : static_cast<size_t>(put) == bytes.ByteLength() ? 0 : EIO;
  if (error == 0) return info.Env().Undefined();
  // If somebody waits for it all the same, end that: the caller may be about to wait for the answer.
  shutdown(socket, SHUT_WR);
  return throw_errno(info.Env(), error, "sendmsg");
}

Napi::Value js_receive_message(const Napi::CallbackInfo& info) {
  ReceiveMessageArguments arguments(info);
  Napi::Env env = info.Env();
  int fd = arguments.socket;
  if (arguments.timeout_ms) {
    pollfd ready = {fd, POLLIN, 0};
    if (poll(&ready, 1, *arguments.timeout_ms) == 0) return env.Undefined();
  }
  if (!waits_for(fd)) return throw_errno(env, EINTR, "recvmsg");
  size_t size = static_cast<size_t>(arguments.size);
  Napi::Buffer<char> data = Napi::Buffer<char>::New(env, size);
  int passed = -1;
  int got = receive(fd, data.Data(), size, &passed);
  if (got < 0 && errno != ECONNRESET) return throw_errno(env, errno, "recvmsg");
  if (got <= 0) return env.Null();
  ReceivedMessage message = {data, static_cast<double>(got), static_cast<double>(passed)};
  return message.to_js(env);
}

Napi::Value js_listen(const Napi::CallbackInfo& info) {
  ListenArguments arguments(info);
  SocketAddress address(arguments.directory, arguments.name);
  if (!address.ok()) return throw_errno(info.Env(), errno, "open", arguments.directory);
  UniqueFd fd(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  if (fd.get() < 0) return throw_errno(info.Env(), errno, "socket");
  if (bind(fd.get(), address.get(), address.size) != 0) return throw_errno(info.Env(), errno, "bind", arguments.name);
  if (listen(fd.get(), 16) != 0) return throw_errno(info.Env(), errno, "listen");
  return Napi::Number::New(info.Env(), fd.release());
}

Napi::Value js_connect(const Napi::CallbackInfo& info) {
  ConnectArguments arguments(info);
  SocketAddress address(arguments.directory, arguments.name);
  if (!address.ok()) return throw_errno(info.Env(), errno, "open", arguments.directory);
  bool stream = arguments.stream.value_or(false);
  UniqueFd fd(socket(AF_UNIX, (stream ? SOCK_STREAM : SOCK_SEQPACKET) | SOCK_CLOEXEC, 0));
  if (fd.get() < 0) return throw_errno(info.Env(), errno, "socket");
  if (connect(fd.get(), address.get(), address.size) != 0) {
    return throw_errno(info.Env(), errno, "connect", arguments.name);
  }
  return Napi::Number::New(info.Env(), fd.release());
}

Napi::Value js_memfd(const Napi::CallbackInfo& info) {
  MemfdArguments arguments(info);
  UniqueFd fd(memfd_create(arguments.name.c_str(), MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (fd.get() < 0) return throw_errno(info.Env(), errno, "memfd_create");
  if (ftruncate(fd.get(), arguments.size) != 0) return throw_errno(info.Env(), errno, "ftruncate");
  return Napi::Number::New(info.Env(), fd.release());
}

}  // namespace tsrun
