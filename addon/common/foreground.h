// What a foreground `run` or `exec` does while its container lives: pass signals on, relay the terminal, wait.
#pragma once

namespace tsrun {

// How the process ended: an exit status, or the signal that killed it (the other is -1).
struct ForegroundEnd {
  int code;
  int signal;
};

// Catches the signals that this process gets from now on, for wait_in_foreground to pass on: none of them may end it
// while the program is there already and the wait is not. Returns 0 or an errno.
int hold_foreground_signals();

// Waits for the child behind pidfd and reaps it. Signals this process gets, and has held, go to the child meanwhile.
// With a terminal (a pty's master, else -1) stdin and stdout are relayed, stdin's own terminal is raw until the end,
// and its window size is followed. Returns 0 or an errno.
int wait_in_foreground(int pidfd, int terminal, ForegroundEnd* end);

}  // namespace tsrun
