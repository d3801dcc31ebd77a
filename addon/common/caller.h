// What the caller passed on, noted in the environment before an engine changes it. src/host reads it there.
#pragma once

// TSRUN_NOFILE: the soft RLIMIT_NOFILE, which Node raises. TSRUN_FDS: how many descriptors are open from 3 on; once the
// engine has opened its own, they cannot be told apart.
void remember_caller();

// Whether this is a setuid or setgid file that gave its caller the rights of another user or group: tsrun would then do
// for anybody what it does for root. Does not ask AT_SECURE, which a change of the SELinux domain sets, too.
bool is_privileged_file();
// Prints that it will not run like this; returns the exit code.
int refuse_privileged_file();
