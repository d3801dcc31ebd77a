#!/bin/bash
# add-user.sh TREE: adds `user` (uid 1000) with subordinate ids for newuidmap, for rootless tests.
set -euo pipefail
tree=$1

chroot "$tree" useradd --create-home --uid 1000 --shell /bin/bash user
echo user:100000:65536 | tee "$tree/etc/subuid" >"$tree/etc/subgid"
