#include "foreground.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <initializer_list>

#include "caller_terminal.h"
#include "flow.h"
#include "interrupts.h"
#include "syscall.h"

namespace tsrun {

namespace {

int signal_pipe = -1;
// The pipe's read end; -1 before signals are held.
int held_signals = -1;

// Set in a signal's byte if a key caused it, so that it is for the whole job.
constexpr unsigned char kFromTerminal = 0x80;

void note(int signal, bool from_terminal) {
  int saved = errno;
  unsigned char byte = static_cast<unsigned char>(signal | (from_terminal ? kFromTerminal : 0));
  ssize_t ignored = write(signal_pipe, &byte, 1);  // fails if the pipe is full: enough signals are waiting
  static_cast<void>(ignored);
  errno = saved;
}

void note_signal(int signal, siginfo_t* info, void*) { note(signal, info->si_code == SI_KERNEL); }

// Signals that concern this process itself; 32 and 33 belong to libc's threads. SIGTTIN and SIGTTOU are ignored: this
// process does not use the terminal in the background.
bool is_own(int signal) {
  constexpr int own[] = {SIGCHLD, SIGKILL, SIGSTOP, SIGSEGV, SIGBUS,  SIGFPE, SIGILL,
                         SIGABRT, SIGURG,  SIGPIPE, SIGTTIN, SIGTTOU, 32,     33};
  for (int each : own) {
    if (each == signal) return true;
  }
  return false;
}

void catch_signal(int signal) {
  struct sigaction action = {};
  action.sa_sigaction = note_signal;
  action.sa_flags = SA_RESTART | SA_SIGINFO;
  sigfillset(&action.sa_mask);
  sigaction(signal, &action, nullptr);
}

void catch_signals() {
  for (int signal = 1; signal <= 64; signal++) {
    if (!is_own(signal)) catch_signal(signal);
  }
  struct sigaction ignore = {};
  ignore.sa_handler = SIG_IGN;
  for (int signal : {SIGPIPE, SIGTTIN, SIGTTOU}) sigaction(signal, &ignore, nullptr);
  sigset_t none;
  sigemptyset(&none);
  pthread_sigmask(SIG_SETMASK, &none, nullptr);
}

// Also of a terminal that is not in canonical mode: programs that edit lines themselves take the same key for the end.
char end_of_file_of(int terminal) {
  termios settings = {};
  return tcgetattr(terminal, &settings) == 0 ? static_cast<char>(settings.c_cc[VEOF]) : '\0';
}

// A shell does not tell a job that it has brought it to the foreground.
constexpr int kForegroundPollMs = 100;
// After the input has ended: the pauses before the end is told to the next reader.
constexpr int kFirstEndMs = 20, kLastEndMs = 10000;

class Foreground {
 public:
  Foreground(int pidfd, int terminal, int signals)
      : pidfd_(pidfd),
        terminal_(terminal),
        signals_(signals),
        input_(STDIN_FILENO, terminal),
        output_(terminal, STDOUT_FILENO),
        keyboard_(STDIN_FILENO, true),
        screen_(STDOUT_FILENO, false) {
    if (terminal_ >= 0) follow_window(terminal_);
    take_terminal();
  }

  void run() {
    bool ended = false;
    while (!ended) ended = step();
    // The program's last output is still in the terminal.
    while (terminal_ >= 0 && output_.open()) {
      pollfd ready = {terminal_, POLLIN, 0};
      if (!output_.wants_write() && poll(&ready, 1, 0) <= 0) break;
      if (output_.wants_write())
        write_output();
      else
        output_.read_some();
    }
    screen_.give_back();
    keyboard_.give_back();
  }

 private:
  // Only for a container with a terminal of its own; otherwise the caller's is left alone.
  void take_terminal() {
    if (terminal_ < 0) return;
    keyboard_.take();
    screen_.take();
  }

  // In the background the terminal belongs to another job, whose settings must stay.
  bool may_read() {
    bool here = !isatty(STDIN_FILENO) || in_foreground(STDIN_FILENO);
    if (here && !here_) take_terminal();
    here_ = here;
    return here;
  }

  bool step() {
    pollfd events[6] = {{pidfd_, POLLIN, 0}, {signals_, POLLIN, 0}, {-1, POLLIN, 0},
                        {-1, POLLOUT, 0},    {-1, POLLIN, 0},       {-1, POLLOUT, 0}};
    int timeout = -1;
    if (terminal_ >= 0) {
      bool reads = may_read();
      if (!reads) timeout = kForegroundPollMs;
      if (input_.wants_read() && reads) events[2].fd = input_.from();
      if (input_.wants_write()) events[3].fd = input_.to();
      if (output_.wants_read()) events[4].fd = output_.from();
      if (output_.wants_write()) events[5].fd = output_.to();
      if (!input_.open()) timeout = end_ms_;
    }
    int ready = poll(events, 6, timeout);
    if (ready < 0) return false;
    if (ready == 0) idle();
    if (events[1].revents != 0) pass_signals();
    if (events[2].revents != 0) read_input();
    if (events[3].revents != 0) input_.write_some();
    if (events[4].revents != 0) output_.read_some();
    if (events[5].revents != 0) write_output();
    return events[0].revents != 0;
  }

  void idle() {
    if (input_.open()) return;
    end_input();
    if (end_ms_ < kLastEndMs) end_ms_ *= 2;
  }

  void read_input() {
    // Since the poll another job may have got the terminal.
    if (!may_read()) return;
    input_.read_some();
    if (!input_.open()) end_input();
  }

  // When stdin ends, the program's input must end too. The terminal's end-of-file character does that for one read, so
  // it is sent again for the next reader; a shell that edits lines discards what was typed before.
  void end_input() {
    char end = end_of_file_of(terminal_);
    if (end != '\0') input_.push_byte(end);
  }

  // If nobody reads the output, the terminal hangs up, which tells the program as a broken pipe would.
  void write_output() {
    if (output_.write_some()) return;
    close(terminal_);
    terminal_ = -1;
    screen_.give_back();
    keyboard_.give_back();
  }

  void pass_signals() {
    unsigned char byte;
    while (read(signals_, &byte, 1) == 1) pass_signal(byte & ~kFromTerminal, (byte & kFromTerminal) != 0);
  }

  void pass_signal(int signal, bool from_terminal) {
    if (signal == SIGWINCH && terminal_ >= 0) return follow_window(terminal_);
    send(signal, from_terminal);
    if (signal == SIGTSTP) stop();
    // A shell may have had the terminal meanwhile, after a SIGSTOP, which cannot be caught.
    if (signal == SIGCONT) resume_terminal();
  }

  void send(int signal, bool to_job) {
    constexpr unsigned kProcessGroup = 1 << 2;  // PIDFD_SIGNAL_PROCESS_GROUP, Linux 6.9
    if (to_job && sys(__NR_pidfd_send_signal, pidfd_, signal, nullptr, kProcessGroup) >= 0) return;
    sys(__NR_pidfd_send_signal, pidfd_, signal, nullptr, 0);
  }

  // Like any job: until the shell continues it, neither this process runs nor, without a terminal of its own, the
  // program. SIGTSTP alone would not stop the program, because its session has no shell that could continue it.
  void stop() {
    screen_.give_back();
    keyboard_.give_back();
    if (terminal_ < 0) send(SIGSTOP, true);
    signal(SIGTSTP, SIG_DFL);
    raise(SIGTSTP);
    catch_signal(SIGTSTP);
    if (terminal_ < 0) send(SIGCONT, true);
    resume_terminal();
  }

  void resume_terminal() {
    if (terminal_ >= 0) follow_window(terminal_);
    take_terminal();
  }

  int pidfd_;
  int terminal_;
  int signals_;
  int end_ms_ = kFirstEndMs;
  bool here_ = true;
  Flow input_;
  Flow output_;
  HeldTerminal keyboard_;
  HeldTerminal screen_;
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
  for (int signal = take_interrupt(); signal != 0; signal = take_interrupt()) note(signal, false);
  return 0;
}

int wait_in_foreground(int pidfd, int terminal, ForegroundEnd* end) {
  int error = hold_foreground_signals();
  if (error != 0) return error;
  // Only our own descriptor may be non-blocking: stdin and stdout are shared with the caller.
  if (terminal >= 0) fcntl(terminal, F_SETFL, fcntl(terminal, F_GETFL) | O_NONBLOCK);
  Foreground(pidfd, terminal, held_signals).run();
  return reap(pidfd, end);
}

}  // namespace tsrun
