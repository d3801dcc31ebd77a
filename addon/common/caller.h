// What the runtime's caller handed over, noted before an engine changes it: src/host reads it from the environment.
#pragma once

// TSRUN_NOFILE: the soft RLIMIT_NOFILE (Node raises it). TSRUN_FDS: how many descriptors from 3 on are open (once the
// engine has its own, nobody can tell them apart).
void remember_caller();

// Whether this is a setuid or setgid file that has given its caller another user's or group's rights: what tsrun does
// for root it would do for anybody. A domain of SELinux, for which AT_SECURE is set too, is none of that.
bool is_privileged_file();
// Says that it will not run so; returns the exit code.
int refuse_privileged_file();
