// Labels of the Linux security modules, written to attr/* of init's own process (proc_pid_attr(5)).
#include <linux/keyctl.h>

#include "ops.h"
#include "procfs.h"

namespace tsrun {

int run(const SetApparmorProfileOp& op) {
  char command[kPathMax] = "exec ";
  if (!append(command, sizeof(command), text(op.profile))) return fail(-ENAMETOOLONG, text(op.profile));
  int error = write_own_file("attr/apparmor/exec", command, length(command));
  // Before Linux 5.8 the only major security module used attr/exec.
  if (error == -ENOENT) error = write_own_file("attr/exec", command, length(command));
  return error < 0 ? fail(error, text(op.profile)) : 0;
}

int run(const SetSelinuxLabelOp& op) {
  int error = write_own_file("attr/exec", text(op.label), op.label.length);
  return error < 0 ? fail(error, text(op.label)) : 0;
}

int run(const JoinSessionKeyringOp& op) {
  const char* label = text(op.label);
  if (label != nullptr) {
    int error = write_own_file("attr/keycreate", label, op.label.length);
    if (error < 0) return fail(error, label);
  }
  long ring = sys(__NR_keyctl, KEYCTL_JOIN_SESSION_KEYRING, text(op.name));
  // A kernel without keyrings has none to hide.
  if (ring < 0 && ring != -ENOSYS) return fail(ring, text(op.name));
  // An empty write removes the label again: it is not meant for keys that the program makes.
  return label == nullptr ? 0 : write_own_file("attr/keycreate", "", 0);
}

}  // namespace tsrun
