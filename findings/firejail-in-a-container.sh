#!/bin/bash
# firejail in a PID namespace, as in a container. One guesses that it makes its own, as bubblewrap does, or fails: it takes its
# place for a sandbox of firejail's and runs the program as it is, whatever was asked for, with the program's exit code; a
# warning says so, unless there is --quiet. Needs root, and overlayfs for a tree with firejail in its places.
set -euo pipefail

if [[ ${1:-} != inside ]]; then exec unshare --mount --propagation private bash "$0" inside; fi
dir=$(mktemp -d)
trap 'umount --recursive --lazy "$dir/tree" "$dir/work" || true; rm -rf --one-file-system "$dir"' EXIT

# debian FILE SHA256: unpacks a package of Debian's pool (amd64) into $dir.
debian() {
  curl -fsS --retry 3 -o "$dir/package" "http://deb.debian.org/debian/pool/main/$1"
  sha256sum --quiet -c - <<<"$2  $dir/package"
  dpkg-deb -x "$dir/package" "$dir"
}

# seen WHAT WANTED GOT: prints what was seen, and ends the script when it is no longer so.
seen() {
  printf '%s: %s\n' "$1" "$3"
  [[ $3 == "$2" ]] || { printf 'changed, it was: %s\n' "$2" >&2; exit 1; }
}

debian 'a/apparmor/libapparmor1_3.0.8-3_amd64.deb' \
  4b79f49eafc2017374da9ec206b5495433eadd2b1ea078c3895c99e72825e9d3
debian 'f/firejail/firejail_0.9.72-2_amd64.deb' \
  cbdc60c69e7cc231e00c207e5e0375a6a460328f06194936acb71b5f27ac5dad

tree=$dir/tree
work=$dir/work
mkdir "$tree" "$work"
mount -t tmpfs work "$work"
mkdir "$work/upper" "$work/work"
cp -a "$dir/etc" "$dir/usr" "$work/upper/"
mount -t overlay -o "lowerdir=/,upperdir=$work/upper,workdir=$work/work" overlay "$tree"
for each in proc dev sys; do mount --rbind "/$each" "$tree/$each"; done

# limit COMMAND…: the limit of descriptors that a program of firejail's has, when COMMAND starts it.
limit() { "$@" chroot "$tree" firejail --quiet --noprofile --rlimit-nofile=99 sh -c 'ulimit -n'; }
chroot "$tree" firejail --version | sed -n 1p
ulimit -n 200
seen 'the limit that was asked for' 99 "$(limit env)"
seen 'the limit in a PID namespace' 200 "$(limit unshare --pid --fork --mount-proc="$tree/proc")"
seen 'what it says of it' 'Warning: an existing sandbox was detected. true will run without any additional sandboxing features' \
  "$(unshare --pid --fork --mount-proc="$tree/proc" chroot "$tree" firejail --noprofile true 2>&1)"
