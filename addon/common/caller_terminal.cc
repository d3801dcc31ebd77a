#include "caller_terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <initializer_list>

namespace tsrun {

namespace {

bool same(const termios& one, const termios& other) {
  return one.c_iflag == other.c_iflag && one.c_oflag == other.c_oflag && one.c_cflag == other.c_cflag &&
         one.c_lflag == other.c_lflag;
}

}  // namespace

void HeldTerminal::take() {
  termios now = {};
  if (tcgetattr(fd_, &now) != 0 || !in_foreground(fd_)) return;
  if (held_ && same(now, ours_)) return;
  before_ = ours_ = now;
  if (input_) {
    cfmakeraw(&ours_);
  } else {
    ours_.c_oflag &= ~static_cast<tcflag_t>(OPOST);
  }
  held_ = tcsetattr(fd_, TCSANOW, &ours_) == 0;
}

void HeldTerminal::give_back() {
  if (held_ && in_foreground(fd_)) tcsetattr(fd_, TCSANOW, &before_);
  held_ = false;
}

bool in_foreground(int fd) {
  pid_t job = tcgetpgrp(fd);
  return job < 0 || job == getpgrp();
}

void follow_window(int terminal) {
  for (int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    winsize size = {};
    if (ioctl(fd, TIOCGWINSZ, &size) != 0) continue;
    if (size.ws_row != 0 && size.ws_col != 0) ioctl(terminal, TIOCSWINSZ, &size);
    return;
  }
}

}  // namespace tsrun
