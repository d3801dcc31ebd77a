#!/bin/bash
# The mode of a tmpfs that bubblewrap mounts. One guesses 1777, as mount -t tmpfs and docker run --tmpfs give it, at least for
# /dev/shm, which is for everybody: both are 0755, so that a program that has given up root in the sandbox can write to neither
# /tmp nor /dev/shm. --perms before --tmpfs sets the mode of the first. Needs root.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

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

debian 'b/bubblewrap/bubblewrap_0.8.0-2+deb12u1_amd64.deb' \
  3cc9134a3286ad01a323dcd924ba123eb634cefaeec82d774257e06308aeaadb

cd "$dir"
bwrap() { "$dir/usr/bin/bwrap" --ro-bind / / --dev /dev "$@"; }
bwrap --version
seen '--tmpfs /tmp' 755 "$(bwrap --tmpfs /tmp stat -c %a /tmp)"
seen '--dev /dev' 755 "$(bwrap stat -c %a /dev/shm)"
seen '--perms 1777 --tmpfs /tmp' 1777 "$(bwrap --perms 1777 --tmpfs /tmp stat -c %a /tmp)"
writes() { bwrap setpriv --reuid 1000 --regid 1000 --clear-groups touch "$1" 2>/dev/null && echo yes || echo no; }
seen 'may uid 1000 write to /dev/shm' no "$(writes /dev/shm/file)"
unshare --mount sh -c 'mount -t tmpfs none /mnt && stat -c %a /mnt' | { read -r mode; seen 'mount -t tmpfs' 1777 "$mode"; }
