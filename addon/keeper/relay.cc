#include "relay.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

namespace tsrun {

namespace {

// ttrpc (github.com/containerd/ttrpc, PROTOCOL.md): length, stream, type, flags.
constexpr size_t kHeader = 10;
constexpr size_t kLongest = 4 << 20;
constexpr unsigned char kRequest = 1, kResponse = 2;
// A flag of our own: an earlier engine may have done this already (src/shim/ttrpc.ts).
constexpr char kAgain = 0x40;
// Above these sizes nothing more is read until the other side has taken some.
constexpr size_t kWaiting = 8 << 20;
constexpr size_t kPending = 64 << 20;

uint32_t number_at(const std::string& bytes, size_t at) {
  uint32_t value = 0;
  for (size_t i = 0; i < 4; i++) value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
  return value;
}

enum class Frame { kWhole, kPart, kTooLong };

// Cuts the first frame off.
Frame take(std::string& bytes, std::string& frame) {
  if (bytes.size() < kHeader) return Frame::kPart;
  size_t length = number_at(bytes, 0);
  if (length > kLongest) return Frame::kTooLong;
  if (bytes.size() < kHeader + length) return Frame::kPart;
  frame = bytes.substr(0, kHeader + length);
  bytes.erase(0, kHeader + length);
  return Frame::kWhole;
}

void free_if_empty(std::string& bytes) {
  if (bytes.empty()) std::string().swap(bytes);
}

// 0: nothing to read now; -1: the end, or an error.
ssize_t read_some(int fd, std::string& into) {
  static char bytes[64 << 10];
  ssize_t got = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
  if (got > 0) into.append(bytes, static_cast<size_t>(got));
  if (got > 0) return got;
  return got < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
}

bool write_some(int fd, std::string& from) {
  if (from.empty()) return true;
  ssize_t put = send(fd, from.data(), from.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (put < 0) return errno == EAGAIN || errno == EINTR;
  from.erase(0, static_cast<size_t>(put));
  free_if_empty(from);
  return true;
}

}  // namespace

Relay::~Relay() {
  close(client_);
  cut();
}

void Relay::cut() {
  if (engine_ >= 0) close(engine_);
  engine_ = -1;
  // Only whole frames are passed on, and the requests are kept.
  engine_part_.clear();
  to_engine_.clear();
}

void Relay::attach(int engine) {
  cut();
  engine_ = engine;
  if (engine < 0) return;
  for (const Request& each : pending_) {
    to_engine_ += each.frame;
    to_engine_[to_engine_.size() - each.frame.size() + 9] |= kAgain;
  }
}

void Relay::add_to(std::vector<pollfd>& polled) const {
  bool has_room = to_engine_.size() < kWaiting && pending_size_ < kPending;
  short client = static_cast<short>((has_room ? POLLIN : 0) | (to_client_.empty() ? 0 : POLLOUT));
  short engine = static_cast<short>((to_client_.size() < kWaiting ? POLLIN : 0) | (to_engine_.empty() ? 0 : POLLOUT));
  polled.push_back({client_, client, 0});
  polled.push_back({engine_, engine, 0});
}

bool Relay::move(const pollfd& client, const pollfd& engine) {
  if (engine_ >= 0 && (engine.revents & (POLLIN | POLLHUP | POLLERR)) != 0) from_engine();
  if ((client.revents & POLLIN) != 0) {
    if (!from_client()) return false;
  } else if ((client.revents & (POLLHUP | POLLERR)) != 0) {
    return false;
  }
  if (engine_ >= 0 && !write_some(engine_, to_engine_)) cut();
  return write_some(client_, to_client_);
}

bool Relay::from_client() {
  if (read_some(client_, client_part_) < 0) return false;
  for (;;) {
    Request request = {};
    Frame result = take(client_part_, request.frame);
    if (result == Frame::kTooLong) return false;
    if (result == Frame::kPart) break;
    if (engine_ >= 0) to_engine_ += request.frame;
    if (static_cast<unsigned char>(request.frame[8]) != kRequest) continue;
    request.stream = number_at(request.frame, 4);
    pending_size_ += request.frame.size();
    pending_.push_back(std::move(request));
  }
  free_if_empty(client_part_);
  return true;
}

void Relay::from_engine() {
  if (read_some(engine_, engine_part_) < 0) return cut();
  std::string frame;
  while (take(engine_part_, frame) == Frame::kWhole) {
    if (static_cast<unsigned char>(frame[8]) == kResponse) settle(number_at(frame, 4));
    to_client_ += frame;
  }
  free_if_empty(engine_part_);
}

void Relay::settle(uint32_t stream) {
  for (auto each = pending_.begin(); each != pending_.end(); ++each) {
    if (each->stream != stream) continue;
    pending_size_ -= each->frame.size();
    pending_.erase(each);
    return;
  }
}

}  // namespace tsrun
