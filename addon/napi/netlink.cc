// Netlink sockets. src/network composes and reads the messages; this only sends and receives them.
#include <fcntl.h>
#include <linux/netlink.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "../generated/functions.h"

namespace tsrun {

namespace {

constexpr size_t kReplyBuffer = 64 * 1024;  // more than the kernel puts into one datagram

// Runs `make` with this thread in another network namespace: a socket belongs to the namespace that it was made in.
template <typename Make>
int in_network(int namespace_fd, Make make) {
  UniqueFd own(open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
  if (own.get() < 0 || setns(namespace_fd, CLONE_NEWNET) != 0) return -1;
  int result = make();
  int error = errno;
  // Nothing would be worse than to go on in the container's network.
  if (setns(own.get(), CLONE_NEWNET) != 0) abort();
  errno = error;
  return result;
}

int route_socket() { return socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE); }

// Adds the messages of one datagram to the replies. True once the answer is complete; then `error` is 0 or a negative
// errno.
bool take(const char* datagram, size_t size, std::string* replies, int* error) {
  for (size_t at = 0; at + sizeof(nlmsghdr) <= size;) {
    nlmsghdr header;
    memcpy(&header, datagram + at, sizeof(header));
    if (header.nlmsg_len < sizeof(header) || header.nlmsg_len > size - at) {
      *error = -EBADMSG;
      return true;
    }
    if (header.nlmsg_type == NLMSG_DONE || header.nlmsg_type == NLMSG_ERROR) {
      if (header.nlmsg_len >= sizeof(header) + sizeof(int)) memcpy(error, datagram + at + sizeof(header), sizeof(int));
      return true;
    }
    replies->append(datagram + at, header.nlmsg_len);
    at += NLMSG_ALIGN(header.nlmsg_len);
  }
  return false;
}

}  // namespace

Napi::Value js_netlink_open(const Napi::CallbackInfo& info) {
  NetlinkOpenArguments arguments(info);
  int namespace_fd = arguments.network_namespace;
  int fd = namespace_fd < 0 ? route_socket() : in_network(namespace_fd, route_socket);
  if (fd < 0) return throw_errno(info.Env(), errno, "netlink socket");
  return Napi::Number::New(info.Env(), fd);
}

Napi::Value js_netlink_request(const Napi::CallbackInfo& info) {
  NetlinkRequestArguments arguments(info);
  Napi::Env env = info.Env();
  int fd = arguments.socket;
  const Napi::Uint8Array& request = arguments.message;
  if (send(fd, request.Data(), request.ByteLength(), 0) < 0) return throw_errno(env, errno, "netlink send");
  std::vector<char> datagram(kReplyBuffer);
  std::string replies;
  int error = 0;
  for (bool complete = false; !complete;) {
    ssize_t got = recv(fd, datagram.data(), datagram.size(), MSG_TRUNC);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return throw_errno(env, errno, "netlink receive");
    if (static_cast<size_t>(got) > datagram.size()) return throw_errno(env, EMSGSIZE, "netlink receive");
    complete = take(datagram.data(), static_cast<size_t>(got), &replies, &error);
  }
  if (error < 0) return throw_errno(env, -error, "netlink");
  return Napi::Buffer<char>::Copy(env, replies.data(), replies.size());
}

}  // namespace tsrun
