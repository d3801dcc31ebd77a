#include "log.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>

namespace tsrun {

namespace {

constexpr int kStreams[] = {3, 4};
constexpr int kReady = 5;

// A full disk must not stop the container: what does not fit is lost.
void write_all(const char* bytes, size_t size) {
  while (size > 0) {
    ssize_t put = write(STDOUT_FILENO, bytes, size);
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return;
    bytes += put;
    size -= static_cast<size_t>(put);
  }
}

}  // namespace

int log_to_stdout() {
  static char bytes[64 << 10];
  close(kReady);
  pollfd polled[] = {{kStreams[0], POLLIN, 0}, {kStreams[1], POLLIN, 0}};
  while (polled[0].fd >= 0 || polled[1].fd >= 0) {
    if (poll(polled, 2, -1) < 0) continue;
    for (pollfd& each : polled) {
      if (each.fd < 0 || each.revents == 0) continue;
      ssize_t got = read(each.fd, bytes, sizeof(bytes));
      if (got > 0) write_all(bytes, static_cast<size_t>(got));
      if (got == 0 || (got < 0 && errno != EINTR)) each.fd = -1;
    }
  }
  return 0;
}

}  // namespace tsrun
