// Signals by which somebody ends a command that makes a container: caught, so that what it has made can be undone.
#pragma once

namespace tsrun {

// From now on SIGHUP, SIGINT and SIGTERM do not end this process, but its waits (waits_for). Those that the caller has
// had ignored stay so. Returns 0 or an errno.
int begin_interrupts();

// From now on it is not the signals that end this thread's waits, but bytes that come from this descriptor, which are
// numbers of signals; -1: the signals again.
void interrupt_from(int fd);

// Whether it is not the signals that do.
bool has_own_interrupts();

// Waits until fd is readable; false when a signal has come, before or meanwhile. Only the first wait after a signal is
// told: those of the undoing are waits like any other.
bool waits_for(int fd);

// As a descriptor for poll(2), readable when a signal has come: for waits_for's like. -1: none is caught.
int interrupt_fd();

// A wait has seen interrupt_fd() readable.
void note_interrupt();

// The first that has come; 0 when none has.
int interrupted();

// No wait is told any more: what follows is undoing, or cannot be undone. With `restore` the signals end this process
// again, unless somebody else has caught them since.
void settle_interrupts(bool restore);

// The next that has come and was not seen yet; 0 when there is none.
int take_interrupt();

}  // namespace tsrun
