#include "pause.h"

#include <sys/wait.h>

#include <csignal>

namespace tsrun {

// Blocked signals stay pending; without a handler, the first process of a pid namespace would never see them.
int pause_for_pod() {
  sigset_t signals;
  sigemptyset(&signals);
  constexpr int kAll[] = {SIGTERM, SIGINT, SIGCHLD};
  for (int each : kAll) sigaddset(&signals, each);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  for (;;) {
    int signal = 0;
    if (sigwait(&signals, &signal) != 0) continue;
    if (signal != SIGCHLD) return 0;
    while (waitpid(-1, nullptr, WNOHANG) > 0) continue;
  }
}

}  // namespace tsrun
