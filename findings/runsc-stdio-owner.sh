#!/bin/bash
# Whose the files are that runsc (gVisor) is given as stdin, stdout and stderr. Its sandbox runs as nobody, with descriptors that
# are open already, so one guesses that it leaves the files alone: it gives them to nobody, whoever the container's user is,
# and does not give them back. A log that a caller has opened is no longer the caller's; nor is /dev/null. Needs root.
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

debian 'g/golang-gvisor-gvisor/runsc_0.0~20221219.0-2+b3_amd64.deb' \
  7183537aca11632026e71d4b2140f463c8e9a433e6cf8ea81e73f82710aabcd8
debian 'b/busybox/busybox-static_1.35.0-4+deb12u1+b1_amd64.deb' \
  3d3fdbe91d4660c873e14b092c213fe81c1da6362daa236eb25d0171eb108744

cd "$dir"
mkdir -p bundle/rootfs/bin
cp bin/busybox bundle/rootfs/bin/sh
runsc() { "$dir/usr/bin/runsc" --root "$dir/state" --platform=ptrace --network=none --ignore-cgroups "$@"; }
(cd bundle && runsc spec -- /bin/sh -c 'echo hi')
touch in out err
chmod 600 in out err

runsc --version | sed -n 1p
seen 'owners before' 'root root root' "$(stat -c %U in out err | paste -sd ' ')"
runsc run --bundle bundle "c$$" <in >out 2>err
seen 'the container says' hi "$(cat out)"
seen 'owners after' 'nobody nobody nobody' "$(stat -c %U in out err | paste -sd ' ')"
