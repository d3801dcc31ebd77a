#include "passwd.h"

#include "path.h"

namespace tsrun {

namespace {

// Reads a file line by line, not as a whole: a hostile /etc/passwd may have any size.
class LineReader {
 public:
  explicit LineReader(int fd) : fd_(fd) {}

  // The next line without its newline; lines longer than the buffer are cut. False at the end, and after an error.
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
    return any && error_ == 0;
  }
  // 0, or the error that ended the reading.
  int error() const { return error_; }

 private:
  bool fill() {
    if (++fills_ > kMaxFills) return false;
    long got = sys(__NR_read, fd_, buffer_, sizeof(buffer_));
    at_ = 0;
    if (got < 0) error_ = static_cast<int>(got);
    end_ = got > 0 ? static_cast<size_t>(got) : 0;
    return end_ > 0;
  }

  static constexpr int kMaxFills = 65536;  // 64 MiB: a line may never end

  int fd_;
  int fills_ = 0;
  int error_ = 0;
  size_t at_ = 0;
  size_t end_ = 0;
  char buffer_[1024];
};

// Returns field `index` of a colon-separated line, and ends the line after it.
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

constexpr size_t kLine = 1024;

// Whether field `index` of the line is `value`; leaves the line whole.
bool field_is(const char* line, int index, const char* value) {
  char copy_of_line[kLine];
  copy(copy_of_line, sizeof(copy_of_line), line);
  return equal(field(copy_of_line, index), value);
}

// Reads the number in field `index`; false if it is not one.
bool number_in(const char* line, int index, uint64_t* number) {
  char copy_of_line[kLine];
  copy(copy_of_line, sizeof(copy_of_line), line);
  const char* digits = field(copy_of_line, index);
  *number = 0;
  if (*digits == 0) return false;
  for (; *digits >= '0' && *digits <= '9'; digits++) {
    *number = *number * 10 + static_cast<uint64_t>(*digits - '0');
    if (*number > 0xfffffffe) return false;
  }
  return *digits == 0;
}

// Errors of what an image may have in place of the file: nothing, a loop of links, a socket, a device without a driver,
// or a file that this user may not read.
bool is_no_file(int error) {
  constexpr int none[] = {-ENOENT, -ENOTDIR, -ELOOP, -ENXIO, -ENODEV, -EACCES};
  for (int each : none) {
    if (each == error) return true;
  }
  return false;
}

// Finds the first line whose field `index` is `value`.
int find_line(const char* path, int index, const char* value, char* line) {
  constexpr int kNonblock = 04000;  // a FIFO must not hold us up
  Fd file(open_in_root(path, O_RDONLY | kNonblock | O_NOCTTY));
  struct statx status = {};
  // Only a regular file: reading a device such as /dev/zero would never end.
  if (!file.ok()) return is_no_file(file.error()) ? 0 : file.error();
  int error = status_of(file.get(), &status);
  if (error < 0) return fail(error, path);
  if ((status.stx_mode & S_IFMT) != S_IFREG) return 0;
  LineReader reader(file.get());
  for (int lines = 0; lines < 100000 && reader.next(line, kLine); lines++) {
    if (field_is(line, index, value)) return 1;
  }
  return reader.error() == 0 ? 0 : fail(reader.error(), path);
}

}  // namespace

int home_of(uint64_t uid, char* home, size_t size) {
  char line[kLine];
  char digits[24];
  int there = find_line("/etc/passwd", 2, decimal(digits, static_cast<int64_t>(uid)), line);
  if (there <= 0) return there;
  const char* found = field(line, 5);
  return found[0] == '/' && copy(home, size, found);
}

int find_user(const char* name, uint64_t* uid, uint64_t* gid) {
  char line[kLine];
  int there = find_line("/etc/passwd", 0, name, line);
  return there <= 0 ? there : number_in(line, 2, uid) && number_in(line, 3, gid);
}

int find_group(const char* name, uint64_t* gid) {
  char line[kLine];
  int there = find_line("/etc/group", 0, name, line);
  return there <= 0 ? there : number_in(line, 2, gid);
}

}  // namespace tsrun
