// The caller's terminal while a container with a terminal of its own is in the foreground.
#pragma once
#include <termios.h>

namespace tsrun {

// One descriptor's terminal, changed and changed back. Only the terminal's foreground job may do either: to another the
// terminal is the shell's.
class HeldTerminal {
 public:
  HeldTerminal(int fd, bool input) : fd_(fd), input_(input) {}
  ~HeldTerminal() { give_back(); }
  HeldTerminal(const HeldTerminal&) = delete;
  HeldTerminal& operator=(const HeldTerminal&) = delete;

  // For input raw mode, in which every key is the container's; else only what is written stays as it is: the
  // container's own terminal has made its carriage returns already. Again after a shell has had the terminal.
  void take();
  // As it was before take().
  void give_back();

 private:
  int fd_;
  bool input_;
  bool held_ = false;
  termios before_ = {};
  termios ours_ = {};
};

// Whether this process may use the terminal behind fd: it is in its foreground job, or no shell hands it around.
bool in_foreground(int fd);

// Gives the window size of the caller's terminal to the container's; a caller that has none changes nothing.
void follow_window(int terminal);

}  // namespace tsrun
