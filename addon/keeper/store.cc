#include "store.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cstring>

namespace tsrun {

namespace {

constexpr size_t kLongestName = 512;

union Control {
  cmsghdr header;
  char bytes[CMSG_SPACE(sizeof(int))];
};

msghdr message_of(iovec& part, Control& control) {
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.bytes;
  message.msg_controllen = sizeof(control.bytes);
  return message;
}

void send_one(int socket, const std::string& text, int fd) {
  Control control = {};
  iovec part = {const_cast<char*>(text.data()), text.size()};
  msghdr message = message_of(part, control);
  if (fd < 0) {
    message.msg_control = nullptr;
    message.msg_controllen = 0;
  } else {
    control.header = {CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
    memcpy(CMSG_DATA(&control.header), &fd, sizeof(int));
  }
  ssize_t ignored = sendmsg(socket, &message, MSG_NOSIGNAL);
  static_cast<void>(ignored);
}

}  // namespace

void Store::listen(int control) {
  for (;;) {
    char text[kLongestName];
    Control ancillary = {};
    iovec part = {text, sizeof(text)};
    msghdr message = message_of(part, ancillary);
    ssize_t got = recvmsg(control, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (got <= 0) return;
    int fd = -1;
    cmsghdr* first = CMSG_FIRSTHDR(&message);
    if (first != nullptr && first->cmsg_type == SCM_RIGHTS) memcpy(&fd, CMSG_DATA(first), sizeof(int));
    std::string name(text + 1, static_cast<size_t>(got - 1));
    if (text[0] == '-') drop(name);
    if (fd < 0) continue;
    auto [place, is_new] = held_.emplace(name, fd);
    if (is_new) continue;
    close(place->second);
    place->second = fd;
  }
}

void Store::hand_over(int control) const {
  for (const auto& [name, fd] : held_) send_one(control, "+" + name, fd);
  send_one(control, ".", -1);
}

void Store::drop(const std::string& prefix) {
  auto each = held_.lower_bound(prefix);
  while (each != held_.end() && each->first.compare(0, prefix.size(), prefix) == 0) {
    close(each->second);
    each = held_.erase(each);
  }
}

}  // namespace tsrun
