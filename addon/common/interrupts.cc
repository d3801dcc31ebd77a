#include "interrupts.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

namespace tsrun {

namespace {

constexpr int kInterrupts[] = {SIGHUP, SIGINT, SIGTERM};

int pipe_ends[2] = {-1, -1};
// A thread of the library reads from this in place of the signals' pipe.
thread_local int own_end = -1;
thread_local bool waits_are_told = false;
thread_local int told = 0;

int read_end() { return own_end >= 0 ? own_end : pipe_ends[0]; }

void write_interrupt(int signal) {
  int saved = errno;
  unsigned char byte = static_cast<unsigned char>(signal);
  ssize_t ignored = write(pipe_ends[1], &byte, 1);  // fails if the pipe is full: the first counts
  static_cast<void>(ignored);
  errno = saved;
}

bool is_ours(int signal) {
  struct sigaction now = {};
  return sigaction(signal, nullptr, &now) == 0 && now.sa_handler == write_interrupt;
}

}  // namespace

void interrupt_from(int fd) { own_end = fd; }

bool has_own_interrupts() { return own_end >= 0; }

int begin_interrupts() {
  told = 0;
  waits_are_told = true;
  if (own_end >= 0) return 0;
  if (pipe_ends[0] < 0 && pipe2(pipe_ends, O_CLOEXEC | O_NONBLOCK) != 0) return errno;
  struct sigaction action = {};
  action.sa_handler = write_interrupt;
  action.sa_flags = SA_RESTART;
  for (int signal : kInterrupts) {
    struct sigaction before = {};
    if (sigaction(signal, &action, &before) == 0 && before.sa_handler == SIG_IGN) sigaction(signal, &before, nullptr);
  }
  return 0;
}

int interrupt_fd() { return waits_are_told ? read_end() : -1; }

int take_interrupt() {
  unsigned char signal;
  return read_end() >= 0 && read(read_end(), &signal, 1) == 1 ? signal : 0;
}

void note_interrupt() {
  told = take_interrupt();
  waits_are_told = false;
}

bool waits_for(int fd) {
  if (!waits_are_told) return true;
  pollfd fds[2] = {{fd, POLLIN, 0}, {read_end(), POLLIN, 0}};
  while (poll(fds, 2, -1) < 0 && errno == EINTR) continue;
  if (fds[1].revents == 0) return true;
  note_interrupt();
  return false;
}

int interrupted() {
  if (told == 0) told = take_interrupt();
  return told;
}

void settle_interrupts(bool restore) {
  waits_are_told = false;
  for (int signal : kInterrupts) {
    if (restore && is_ours(signal)) std::signal(signal, SIG_DFL);
  }
}

}  // namespace tsrun
