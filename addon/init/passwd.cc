#include "passwd.h"

#include "path.h"

namespace tsrun {

namespace {

// Reads lines of a file without holding the file: a hostile /etc/passwd may be of any size.
class LineReader {
 public:
  explicit LineReader(int fd) : fd_(fd) {}

  // The next line without its newline; lines longer than the buffer are cut. False at the end.
  bool next(char* line, size_t size) {
    size_t used = 0;
    bool any = false;
    for (;;) {
      if (at_ == end_ && !fill()) break;
      any = true;
      char c = buffer_[at_++];
      if (c == '\n') break;
      if (used + 1 < size) line[used++] = c;
    }
    line[used] = 0;
    return any;
  }

 private:
  bool fill() {
    long got = sys(__NR_read, fd_, buffer_, sizeof(buffer_));
    at_ = 0;
    end_ = got > 0 ? static_cast<size_t>(got) : 0;
    return end_ > 0;
  }

  int fd_;
  size_t at_ = 0;
  size_t end_ = 0;
  char buffer_[1024];
};

// Points at field number `index` of a colon-separated line, which is cut there.
char* field(char* line, int index) {
  for (; index > 0; index--) {
    while (*line != 0 && *line != ':') line++;
    if (*line == 0) return line;
    line++;
  }
  char* end = line;
  while (*end != 0 && *end != ':') end++;
  *end = 0;
  return line;
}

bool has_uid(const char* line, uint64_t uid) {
  char copy_of_line[1024];
  copy(copy_of_line, sizeof(copy_of_line), line);
  char digits[24];
  return equal(field(copy_of_line, 2), decimal(digits, static_cast<int64_t>(uid)));
}

}  // namespace

bool home_of(uint64_t uid, char* home, size_t size) {
  constexpr int kNonblock = 04000;  // a FIFO must not hold us up
  Fd file(open_in_root("/etc/passwd", O_RDONLY | kNonblock | O_NOCTTY));
  if (!file.ok()) return false;
  LineReader reader(file.get());
  char line[1024];
  for (int lines = 0; lines < 100000 && reader.next(line, sizeof(line)); lines++) {
    if (!has_uid(line, uid)) continue;
    const char* found = field(line, 5);
    return found[0] == '/' && copy(home, size, found);
  }
  return false;
}

}  // namespace tsrun
