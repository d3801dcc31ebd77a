// What libc does for others before main.
#pragma once

namespace tsrun {

// Makes init's pointers hold at the random address that the kernel has loaded it to, and gives stack protectors their
// secret. First of all: no pointer of a table and no protected function may be used before. `stack` as at _start.
void harden(long* stack);

}  // namespace tsrun
