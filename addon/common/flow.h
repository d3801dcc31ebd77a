// Copies bytes from one descriptor to another.
#pragma once
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstddef>

namespace tsrun {

// One direction. It reads only when its buffer is empty, so memory stays bounded.
class Flow {
 public:
  Flow(int from, int to) : from_(from), to_(to) {}

  bool wants_read() const { return open_ && size_ == 0; }
  bool wants_write() const { return size_ > 0; }
  bool open() const { return open_; }
  int from() const { return from_; }
  int to() const { return to_; }

  void read_some() {
    ssize_t got = read(from_, buffer_, sizeof(buffer_));
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) {
      open_ = false;  // end of file, or EIO: the last slave was closed
      return;
    }
    at_ = 0;
    size_ = static_cast<size_t>(got);
  }

  // False if nobody reads any more.
  bool write_some() {
    // poll promises room for PIPE_BUF bytes only; a larger write could block, and signals would have to wait.
    ssize_t put = write(to_, buffer_ + at_, size_ < PIPE_BUF ? size_ : PIPE_BUF);
    if (put < 0 && (errno == EAGAIN || errno == EINTR)) return true;
    if (put < 0) {
      size_ = 0;
      return false;
    }
    at_ += static_cast<size_t>(put);
    size_ -= static_cast<size_t>(put);
    return true;
  }

  void push_byte(char byte) {
    if (size_ != 0) return;
    buffer_[0] = byte;
    at_ = 0;
    size_ = 1;
  }

 private:
  int from_;
  int to_;
  bool open_ = true;
  size_t at_ = 0;
  size_t size_ = 0;
  char buffer_[32768];
};

}  // namespace tsrun
