// What a foreground `run` or `exec` does while its container lives: pass signals on, relay the terminal, wait.
#pragma once

namespace tsrun {

// How the process ended: an exit status, or the signal that killed it (the other is -1).
struct ForegroundEnd {
  int code;
  int signal;
};

// From now on catches the signals that this process gets, for wait_in_foreground to pass on: none may end this process
// after the program has started and before the wait begins. Returns 0 or an errno.
int hold_foreground_signals();

// Waits for the child behind pidfd and reaps it. Meanwhile passes signals on to it, those held before included. With a
// terminal (a pty's master; -1: none) it relays stdin and stdout, keeps stdin's own terminal raw until the end, and
// follows its window size. Returns 0 or an errno.
int wait_in_foreground(int pidfd, int terminal, ForegroundEnd* end);

}  // namespace tsrun
