#!/bin/bash
# enter-tree.sh TREE DIRECTORY CGROUP CHECKOUT: becomes pid 1 of a small machine with TREE as its root.
#
# engine-tree.ts starts it in mount, pid, ipc, uts and network namespaces of its own. Everything written goes to a tmpfs
# of the mount namespace, except in DIRECTORY, which is the test's. CGROUP is a path in the host's filesystem.
# DIRECTORY/ready means that everything is in place.
set -euo pipefail

# The cgroup namespace begins at CGROUP. The processes are one level deeper: a cgroup with processes cannot delegate
# controllers (cgroups(7), "no internal processes").
if [[ ${IN_CGROUP-} == '' ]]; then
  mkdir -p "$3/engine"
  echo 0 >"$3/cgroup.procs"
  IN_CGROUP=1 exec unshare --cgroup "$0" "$@"
fi
echo 0 >"$3/engine/cgroup.procs"

tree=$1
directory=$2
checkout=$4
root=$directory/root

main() {
  lay_overlay
  mount -t proc proc "$root/proc"
  mount -t sysfs sysfs "$root/sys"
  mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
  make_dev "$root/dev"
  # An overlay cannot contain another's upper layer, and engines keep theirs in these directories.
  local place
  for place in run tmp var/tmp root home/user var/lib/{containers,containerd,docker}; do tmpfs "$place"; done
  chmod 1777 "$root"/{tmp,var/tmp}
  chown 1000:1000 "$root/home/user"
  bind "$checkout"
  mount -o remount,bind,ro "$root$checkout"
  bind "$directory"
  take_root
  hostname engine
  echo '127.0.0.1 localhost engine' >/etc/hosts
  ip link set lo up
  touch "$directory/ready"
  # The tree's own bash, so that nothing keeps the host's files open. It reaps orphans.
  exec -a init /bin/bash -c 'sleep infinity & wait' <&- >&- 2>&-
}

lay_overlay() {
  local layers=$directory/layers
  mkdir "$root" "$layers"
  mount -t tmpfs -o mode=0755 layers "$layers"
  mkdir "$layers"/{upper,work}
  mount -t overlay -o "lowerdir=$tree,upperdir=$layers/upper,workdir=$layers/work" overlay "$root"
}

# Not the machine's /dev: tests must not see or change its terminals and shared memory.
make_dev() {
  local dev=$1 node
  mount -t tmpfs -o mode=0755 dev "$dev"
  for node in null zero full random urandom tty fuse net/tun kmsg; do
    [[ -e /dev/$node ]] || continue
    mkdir -p "$(dirname "$dev/$node")"
    cp -a "/dev/$node" "$dev/$node"
  done
  mkdir "$dev"/{pts,shm,mqueue}
  mount -t devpts -o newinstance,ptmxmode=0666,mode=0620,gid=5 devpts "$dev/pts"
  mount -t tmpfs -o mode=1777 shm "$dev/shm"
  mount -t mqueue mqueue "$dev/mqueue"
  ln -s pts/ptmx "$dev/ptmx"
  ln -s /proc/self/fd "$dev/fd"
  ln -s fd/0 "$dev/stdin"
  ln -s fd/1 "$dev/stdout"
  ln -s fd/2 "$dev/stderr"
}

tmpfs() {
  mkdir -p "$root/$1"
  mount -t tmpfs -o mode=0755 tmpfs "$root/$1"
}

bind() {
  mkdir -p "$root$1"
  mount --bind "$1" "$root$1"
}

take_root() {
  local old=$root/mnt
  cd "$root"
  pivot_root . "${old#"$root"/}"
  cd /
  umount --lazy /mnt
  # As systemd sets it, and engines expect it.
  mount --make-rshared /
}

main
