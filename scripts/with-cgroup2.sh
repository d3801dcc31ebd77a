#!/bin/bash
# with-cgroup2.sh COMMAND...: runs it in a private mount namespace, where /sys/fs/cgroup is a cgroup2 mount.
#
# On a hybrid host, runc and crun would use the machine's v1 hierarchies; in here they see only the unified one. The
# namespace, and the mount with it, goes away with the last process.
set -euo pipefail

if [[ $(stat --file-system --format=%T /sys/fs/cgroup) == cgroup2fs ]]; then
  exec "$@"
fi
# shellcheck disable=SC2016 # expanded by the inner shell
exec unshare --mount --propagation private bash -c 'mount -t cgroup2 cgroup2 /sys/fs/cgroup && exec "$@"' with-cgroup2 "$@"
