// What libc does for other programs before main.
#pragma once

namespace tsrun {

// Relocates init's pointers to the random address it was loaded at, and gives the stack protector its secret. Must run
// first: until then no table of pointers and no protected function may be used. `stack` is the stack pointer at _start.
void harden(long* stack);

}  // namespace tsrun
