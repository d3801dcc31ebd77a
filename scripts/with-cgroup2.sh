#!/bin/bash
# with-cgroup2.sh COMMAND...: runs it where /sys/fs/cgroup is a cgroup2 mount, in a private mount namespace.
#
# runc and crun take a hybrid host for cgroup v1 and would work in the v1 hierarchies of the machine. With this around
# them they see the unified hierarchy only. The namespace, and the mount with it, goes away with the last process.
set -euo pipefail

if [[ $(stat --file-system --format=%T /sys/fs/cgroup) == cgroup2fs ]]; then
  exec "$@"
fi
# shellcheck disable=SC2016 # expanded by the inner shell
exec unshare --mount --propagation private bash -c 'mount -t cgroup2 cgroup2 /sys/fs/cgroup && exec "$@"' with-cgroup2 "$@"
