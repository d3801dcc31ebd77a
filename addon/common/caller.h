// What the runtime's caller handed over, noted before an engine changes it: src/host reads it from the environment.
#pragma once

// TSRUN_NOFILE: the soft RLIMIT_NOFILE (Node raises it). TSRUN_FDS: how many descriptors from 3 on are open (once the
// engine has its own, nobody can tell them apart).
void remember_caller();
