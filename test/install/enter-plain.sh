#!/bin/bash
# enter-plain.sh TREE DIRECTORY PREPARE COMMAND...: runs the command with TREE as its root, in a mount namespace that
# plain-tree.ts makes. Everything written goes to a tmpfs, except in DIRECTORY, which is the test's. PREPARE is a shell
# script that runs on the host, in the tree as its working directory, and installs what is tried there.
set -euo pipefail
tree=$1 directory=$2 prepare=$3
shift 3

place=$directory/place
mkdir -p "$place"
mount -t tmpfs -o mode=0755 place "$place"
root=$place/root
mkdir "$root" "$place"/{upper,work}
mount -t overlay -o "lowerdir=$tree,upperdir=$place/upper,workdir=$place/work" overlay "$root"
(cd "$root" && bash -euc "$prepare")
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
mount --rbind /dev "$root/dev"
for place in run tmp; do mount -t tmpfs -o mode=1777 tmpfs "$root/$place"; done
mkdir -p "$root$directory"
mount --bind "$directory" "$root$directory"
cd "$root"
pivot_root . mnt
cd /
# From here on only the tree's programs are there.
exec /bin/busybox sh -c 'busybox umount -l /mnt && exec "$@"' enter-plain "$@"
