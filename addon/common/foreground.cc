#include "foreground.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <csignal>
#include <cstddef>

#include "interrupts.h"
#include "syscall.h"

namespace tsrun {

namespace {

int signal_pipe = -1;
// Its other end; -1 before signals are held.
int held_signals = -1;

void note_signal(int signal) {
  int saved = errno;
  unsigned char byte = static_cast<unsigned char>(signal);
  ssize_t ignored = write(signal_pipe, &byte, 1);  // a full pipe: enough signals are waiting already
  static_cast<void>(ignored);
  errno = saved;
}

// Signals that are about this process itself; 32 and 33 belong to libc's threads.
bool is_own(int signal) {
  constexpr int own[] = {SIGCHLD, SIGKILL, SIGSTOP, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGURG, SIGPIPE, 32, 33};
  for (int each : own) {
    if (each == signal) return true;
  }
  return false;
}

void catch_signals() {
  struct sigaction action = {};
  action.sa_handler = note_signal;
  action.sa_flags = SA_RESTART;
  sigfillset(&action.sa_mask);
  for (int signal = 1; signal <= 64; signal++) {
    if (!is_own(signal)) sigaction(signal, &action, nullptr);
  }
  struct sigaction ignore = {};
  ignore.sa_handler = SIG_IGN;
  sigaction(SIGPIPE, &ignore, nullptr);
  sigset_t none;
  sigemptyset(&none);
  pthread_sigmask(SIG_SETMASK, &none, nullptr);
}

// Puts stdin's terminal, if it is one, into raw mode and back at the end of the scope.
class RawMode {
 public:
  RawMode() {
    active_ = tcgetattr(STDIN_FILENO, &before_) == 0;
    if (!active_) return;
    termios raw = before_;
    cfmakeraw(&raw);
    // As runc and docker do: output processing stays, so that what the runtime itself prints is readable.
    raw.c_oflag |= OPOST;
    active_ = tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
  }
  ~RawMode() {
    if (active_) tcsetattr(STDIN_FILENO, TCSANOW, &before_);
  }

 private:
  termios before_ = {};
  bool active_ = false;
};

void follow_window(int terminal) {
  winsize size = {};
  if (ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0) ioctl(terminal, TIOCSWINSZ, &size);
}

// Bytes on their way in one direction. Reading stops while some are left, so memory stays bounded.
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

  void write_some() {
    // poll promises room for PIPE_BUF bytes only; a larger write could block, and with it the signals.
    ssize_t put = write(to_, buffer_ + at_, size_ < PIPE_BUF ? size_ : PIPE_BUF);
    if (put < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (put < 0) {
      size_ = 0;  // nobody reads it: drop it, the container goes on
      return;
    }
    at_ += static_cast<size_t>(put);
    size_ -= static_cast<size_t>(put);
  }

  // stdin that ends must end the program's input too: the terminal's end-of-file character does that.
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

char end_of_file_of(int terminal) {
  termios settings = {};
  bool canonical = tcgetattr(terminal, &settings) == 0 && (settings.c_lflag & ICANON) != 0;
  return canonical ? static_cast<char>(settings.c_cc[VEOF]) : '\0';
}

class Foreground {
 public:
  Foreground(int pidfd, int terminal, int signals)
      : pidfd_(pidfd),
        terminal_(terminal),
        signals_(signals),
        input_(STDIN_FILENO, terminal),
        output_(terminal, STDOUT_FILENO) {
    if (terminal_ >= 0) follow_window(terminal_);
  }

  void run() {
    bool ended = false;
    while (!ended) ended = step();
    // What the program printed last is still in the terminal.
    while (terminal_ >= 0 && output_.open()) {
      pollfd ready = {terminal_, POLLIN, 0};
      if (!output_.wants_write() && poll(&ready, 1, 0) <= 0) return;
      if (output_.wants_write())
        output_.write_some();
      else
        output_.read_some();
    }
  }

 private:
  bool step() {
    pollfd events[6] = {{pidfd_, POLLIN, 0}, {signals_, POLLIN, 0}, {-1, POLLIN, 0},
                        {-1, POLLOUT, 0},    {-1, POLLIN, 0},       {-1, POLLOUT, 0}};
    if (terminal_ >= 0) {
      if (input_.wants_read()) events[2].fd = input_.from();
      if (input_.wants_write()) events[3].fd = input_.to();
      if (output_.wants_read()) events[4].fd = output_.from();
      if (output_.wants_write()) events[5].fd = output_.to();
    }
    if (poll(events, 6, -1) < 0) return false;
    if (events[1].revents != 0) pass_signals();
    if (events[2].revents != 0) read_input();
    if (events[3].revents != 0) input_.write_some();
    if (events[4].revents != 0) output_.read_some();
    if (events[5].revents != 0) output_.write_some();
    return events[0].revents != 0;
  }

  void read_input() {
    input_.read_some();
    char end = input_.open() ? '\0' : end_of_file_of(terminal_);
    if (end != '\0') input_.push_byte(end);
  }

  void pass_signals() {
    unsigned char signal;
    while (read(signals_, &signal, 1) == 1) {
      if (signal == SIGWINCH && terminal_ >= 0)
        follow_window(terminal_);
      else
        sys(__NR_pidfd_send_signal, pidfd_, signal, nullptr, 0);
    }
  }

  int pidfd_;
  int terminal_;
  int signals_;
  Flow input_;
  Flow output_;
};

int reap(int pidfd, ForegroundEnd* end) {
  siginfo_t status = {};
  int result;
  do {
    result = waitid(P_PIDFD, static_cast<id_t>(pidfd), &status, WEXITED);
  } while (result != 0 && errno == EINTR);
  if (result != 0) return errno;
  bool exited = status.si_code == CLD_EXITED;
  end->code = exited ? status.si_status : -1;
  end->signal = exited ? -1 : status.si_status;
  return 0;
}

}  // namespace

int hold_foreground_signals() {
  if (held_signals >= 0) return 0;
  int ends[2];
  if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return errno;
  held_signals = ends[0];
  signal_pipe = ends[1];
  catch_signals();
  settle_interrupts(false);
  for (int signal = take_interrupt(); signal != 0; signal = take_interrupt()) note_signal(signal);
  return 0;
}

int wait_in_foreground(int pidfd, int terminal, ForegroundEnd* end) {
  int error = hold_foreground_signals();
  if (error != 0) return error;
  {
    RawMode raw;
    // Non-blocking only where it is ours: stdin and stdout are shared with the caller.
    if (terminal >= 0) fcntl(terminal, F_SETFL, fcntl(terminal, F_GETFL) | O_NONBLOCK);
    Foreground(pidfd, terminal, held_signals).run();
  }
  return reap(pidfd, end);
}

}  // namespace tsrun
