// Signals that end a command which makes a container. They are caught, so that the command can undo what it has made.
#pragma once

namespace tsrun {

// From now on SIGHUP, SIGINT and SIGTERM end waits (waits_for) and not this process. Those that the caller ignored stay
// ignored. Returns 0 or an errno.
int begin_interrupts();

// From now on bytes from this descriptor, each the number of a signal, end this thread's waits in place of real
// signals. -1: real signals again.
void interrupt_from(int fd);

// Whether interrupt_from has set a descriptor for this thread.
bool has_own_interrupts();

// Waits until fd is readable; false if a signal came before or meanwhile. Only the first wait after a signal ends like
// this: those needed to undo things are not disturbed.
bool waits_for(int fd);

// A descriptor for poll(2) that is readable when a signal has come, for other waits of this kind. -1: none is caught.
int interrupt_fd();

// Call it when a wait has found interrupt_fd() readable.
void note_interrupt();

// The first signal that came; 0 if none has.
int interrupted();

// No more waits end by a signal: what follows undoes things, or cannot be undone. With `restore` the signals end this
// process again, unless somebody else has caught them since.
void settle_interrupts(bool restore);

// The next signal that was not taken yet; 0 if there is none.
int take_interrupt();

}  // namespace tsrun
