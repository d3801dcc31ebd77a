// The caller's terminal while a container with a terminal of its own is in the foreground.
#pragma once
#include <termios.h>

namespace tsrun {

// The terminal behind one descriptor, changed and changed back. Only the terminal's foreground job may do either: in
// the background the terminal is the shell's.
class HeldTerminal {
 public:
  HeldTerminal(int fd, bool input) : fd_(fd), input_(input) {}
  ~HeldTerminal() { give_back(); }
  HeldTerminal(const HeldTerminal&) = delete;
  HeldTerminal& operator=(const HeldTerminal&) = delete;

  // Input: raw mode, in which every key goes to the container. Output: no processing, because the container's own
  // terminal has already added the carriage returns. Call it again after a shell has had the terminal.
  void take();
  // Restores the settings from before take().
  void give_back();

 private:
  int fd_;
  bool input_;
  bool held_ = false;
  termios before_ = {};
  termios ours_ = {};
};

// Whether this process may use the terminal behind fd: it belongs to the foreground job, or there is no job control.
bool in_foreground(int fd);

// Copies the window size of the caller's terminal to the container's, if the caller has one.
void follow_window(int terminal);

}  // namespace tsrun
